"""The case library: how known defects come in, are found again and leave."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from anomalyos.cases import repository as case_repository
from anomalyos.cases.appearance import Appearance, FocusedImage
from anomalyos.cases.case_index import CaseIndex, Entry, Hit
from anomalyos.cases.confirmed import follow
from anomalyos.cases.crops import centre
from anomalyos.cases.labelled import import_category
from anomalyos.cases.similar import SimilarCase
from anomalyos.cases.tables import DefectCase
from anomalyos.core.arrays import Float32Array
from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.geometry import Box
from anomalyos.core.progress import Progress
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.db.rows import stored_id
from anomalyos.features.embedders import get_image_embedder
from anomalyos.images.decoding import decode_image

log = logging.getLogger(__name__)

EMBEDDED_UNASKED = 256
"""Cases embedded on the way to an answer; with more to do than that, somebody should ask for it."""
PAGE = 5_000


class IndexMismatch(AnomalyOSError):
    """Cases that are not embedded with the present embedder."""


class CaseLibrary:
    """Known defects in the store and their index in memory, the one following the other.

    Safe to share between threads. What another process adds or removes is found by the next search:
    every search first asks the database for changes it has not seen.
    """

    def __init__(self, settings: Settings, store: Store) -> None:
        self.settings = settings
        self.store = store
        self._index = CaseIndex(0, "")
        self._seen = 0
        self._working = threading.RLock()

    @property
    def appearance(self) -> Appearance:
        """Raises ``WeightsMissing``."""
        return Appearance(get_image_embedder(self.settings))

    def similar(
        self,
        rgb: NDArray[np.uint8],
        box: Box | None,
        category: str | None,
        k: int = 5,
        exclude_images: frozenset[str] = frozenset(),
    ) -> tuple[SimilarCase, ...]:
        """The ``k`` known defects that look most like a place in a photograph, most similar first.

        Each photograph answers once, with its most similar case.

        Args:
            rgb: the whole photograph (H, W, 3).
            box: the defect in it without its surroundings; None takes the whole photograph.
            category: only its cases (hierarchical search); None searches all.
            exclude_images: SHA-256 of photographs whose cases are left out, the asked one among them.

        Raises:
            IndexMismatch: the cases are not embedded under the present embedder.
        """
        vector = self.appearance.vectors([FocusedImage(rgb, None if box is None else centre(box))])
        with self._working:
            index = self.synchronised()
            # several cases may share a photograph, so ask for more than are shown
            hits = index.search(vector, 4 * k, category=category, exclude_images=exclude_images)[0]
        with self.store.session(read_only=True) as session:
            known = case_repository.get_many(session, [hit.case_id for hit in hits])
        return first_of_each_photograph(hits, known, k)

    def import_labelled(self, category: str, progress: Progress | None = None) -> dict[str, int]:
        """Take in the labelled defects among a category's test images; what is known already stays.

        Returns:
            ``added``, ``known`` (removed ones included), ``without_mask`` and ``unreadable`` images.

        Raises:
            NotFound: there is no such category.
        """
        return import_category(category, self.settings, self.store, self.appearance, progress)

    def follow_review(self, inspection_id: int, actor: str) -> DefectCase | None:
        """Make the cases of one inspection agree with the decision that stands; again changes nothing.

        Returns:
            The case that stands for it now, None when the decision is anything but a defect, or when
            nobody knows which product the image shows.

        Raises:
            NotFound: there is no such inspection, or its photograph is gone.
        """
        return follow(inspection_id, actor, self.settings, self.store, self.appearance)

    def remove(self, case_id: int, actor: str, reason: str) -> None:
        """Take a case out of every search, of this process and of others, from the next one on.

        Raises:
            NotFound: no such case.
            Conflict: it is removed already.
        """
        with self.store.session() as session:
            case_repository.remove(session, case_id, actor, reason)

    def rebuild(self, progress: Progress | None = None) -> dict[str, int]:
        """Read every case anew from the store, and embed what has no embedding yet.

        Returns:
            ``cases`` in the index, ``embedded`` now, ``unreadable`` photographs that were left out.
        """
        with self._working:
            self._start_anew()
            counts = self._follow_changes(None, progress)
            return {"cases": len(self._index), **counts}

    def synchronised(self) -> CaseIndex:
        """The index with every change the store knows. Call it with the lock held.

        Raises:
            IndexMismatch: too many cases have no embedding under the present embedder.
        """
        if self._index.embedder != self.appearance.digest:
            self._start_anew()
        self._follow_changes(EMBEDDED_UNASKED, None)
        return self._index

    def _start_anew(self) -> None:
        self._index, self._seen = CaseIndex(self.appearance.dims, self.appearance.digest), 0

    def _follow_changes(self, most: int | None, progress: Progress | None) -> dict[str, int]:
        embedded = unreadable = 0
        while True:
            with self.store.session(read_only=True) as session:
                page = case_repository.changes_since(session, self._seen, PAGE)
                live = [case for case in page if case.removed_at is None]
                vectors = case_repository.vectors(
                    session, self.appearance.digest, (stored_id(c.id) for c in live)
                )
            if not page:
                return {"embedded": embedded, "unreadable": unreadable}
            missing = [case for case in live if stored_id(case.id) not in vectors]
            if most is not None and embedded + len(missing) > most:
                raise IndexMismatch(
                    f"{len(missing)} known defects are not embedded with '{self.appearance.name}' yet.",
                    "Embed them with 'anomalyos cases rebuild'.",
                )
            made = self._embed(missing, progress)
            embedded, unreadable = embedded + len(made), unreadable + len(missing) - len(made)
            self._apply(page, {**vectors, **made})
            self._seen = page[-1].change

    def _apply(self, page: Iterable[DefectCase], vectors: dict[int, Float32Array]) -> None:
        index = self._index
        index.remove(stored_id(case.id) for case in page if case.removed_at is not None)
        live = [
            case
            for case in page
            if case.removed_at is None and stored_id(case.id) in vectors and stored_id(case.id) not in index
        ]
        if live:
            entries = [Entry(stored_id(case.id), case.category, case.image_sha256) for case in live]
            index.add(entries, np.stack([vectors[entry.case_id] for entry in entries]))

    def _embed(self, missing: list[DefectCase], progress: Progress | None) -> dict[int, Float32Array]:
        """Vectors of the kept photographs; one that is gone or damaged is left out, and said so."""
        made: dict[int, Float32Array] = {}
        for done, case in enumerate(missing, start=1):
            try:
                rgb = decode_image(self.store.objects.read(case.image_path), self.settings).rgb
            except AnomalyOSError as error:
                log.warning("Case %s cannot be searched: %s", case.id, error.message)
                continue
            made[stored_id(case.id)] = self.appearance.vectors([FocusedImage(rgb, focus_of(case))])[0]
            if progress is not None:
                progress(done, len(missing))
        if made:
            with self.store.session() as session:
                for case_id, vector in made.items():
                    case_repository.put_vector(session, case_id, self.appearance.digest, vector)
        return made


def first_of_each_photograph(
    hits: list[Hit], known: dict[int, DefectCase], k: int
) -> tuple[SimilarCase, ...]:
    """The best hit of each photograph, ``k`` at most, in the order of ``hits``."""
    shown: dict[str, SimilarCase] = {}
    for hit in hits:
        case = known.get(hit.case_id)
        if case is not None and case.image_sha256 not in shown and len(shown) < k:
            shown[case.image_sha256] = similar_case(case, hit.similarity)
    return tuple(shown.values())


def focus_of(case: DefectCase) -> tuple[int, int] | None:
    """Where a case's embedding looks; None at the whole photograph."""
    if "focus_x" not in case.box:
        return None
    return case.box["focus_x"], case.box["focus_y"]


def similar_case(case: DefectCase, similarity: float) -> SimilarCase:
    box = {side: case.box[side] for side in ("x", "y", "width", "height")}
    facts = case.model_dump(include=set(SimilarCase.model_fields))
    return SimilarCase.model_validate(facts | {"case_id": case.id, "similarity": similarity, "box": box})


_libraries: dict[tuple[object, ...], CaseLibrary] = {}
_opening = threading.Lock()


def get_case_library(settings: Settings, store: Store) -> CaseLibrary:
    """The process's library of this store and embedder."""
    key = (id(store), str(settings.home), settings.embedder)
    with _opening:
        library = _libraries.get(key)
        if library is None or library.store is not store:
            library = _libraries[key] = CaseLibrary(settings, store)
        return library
