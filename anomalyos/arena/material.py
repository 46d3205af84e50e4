"""Pictures for the Arena: labelled test images and decided inspections, with the AI's answer to each."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from anomalyos.arena import material_rows as arena_material
from anomalyos.arena.material_rows import INSPECTION
from anomalyos.arena.tables import ArenaMaterial
from anomalyos.core.errors import NotFound
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.db.rows import stored_id
from anomalyos.images.decoding import (
    DecodedImage,
    ImageRejected,
    decode_image,
    decode_mask,
    encode_png,
    read_limited,
)
from anomalyos.inspection.examination import Examination, inspection_row
from anomalyos.inspection.tables import Decision, Image, Inspection, Verdict
from anomalyos.models.tables import ModelVersion
from anomalyos.products.dataset import GOOD, CategoryData, load_category


class Examiner(Protocol):
    """The part of ``anomalyos.inspection.inspector.Inspector`` that answers for the AI."""

    def examine(self, image: DecodedImage, category: str | None = None) -> Examination: ...


@dataclass(frozen=True)
class Candidate:
    """A labelled picture before anybody has opened it."""

    category: str
    synthetic: bool
    defective: bool
    source: str
    stamp: str
    path: Path | None = None
    mask_path: Path | None = None
    decided: tuple[Inspection, Image] | None = None


def candidates(settings: Settings, store: Store, champions: dict[str, ModelVersion]) -> list[Candidate]:
    """Every labelled picture of the products that have a model."""
    found: list[Candidate] = []
    names = {stored_id(version.id): name for name, version in champions.items()}
    drawn: dict[str, bool] = {}
    for name in champions:
        try:
            category = load_category(settings, name)
        except NotFound:  # a model whose images lie elsewhere; its decided inspections still count
            continue
        drawn[name] = category.synthetic
        found += _of_data_set(category)
    with store.session(read_only=True) as session:
        rows = arena_material.decided(session, names)
    for inspection, image in rows:
        name = names[stored_id(inspection.model_version_id)]
        found.append(
            Candidate(
                category=name,
                synthetic=drawn.get(name, False),
                defective=inspection.decision == Decision.DEFECT,
                source=f"{INSPECTION}{inspection.id}",
                stamp=str(inspection.review_version),
                decided=(inspection, image),
            )
        )
    return found


def _of_data_set(category: CategoryData) -> Iterator[Candidate]:
    for sample in category.test:
        yield Candidate(
            category=category.name,
            synthetic=category.synthetic,
            defective=sample.defect != GOOD,
            source=f"{category.name}/{sample.path.relative_to(category.root).as_posix()}",
            stamp=_stamp(sample.path) + (_stamp(sample.mask_path) if sample.mask_path else ""),
            path=sample.path,
            mask_path=sample.mask_path,
        )


def _stamp(path: Path) -> str:
    facts = path.stat()
    return f"{facts.st_size}-{facts.st_mtime_ns} "


class Gallery:
    """Opens candidates, asks the AI about each once, and keeps what it said."""

    def __init__(self, settings: Settings, store: Store, examiner: Callable[[], Examiner]) -> None:
        self._settings = settings
        self._store = store
        self._examiner = examiner

    def open(
        self, candidate: Candidate, version: ModelVersion, unwanted: set[str]
    ) -> tuple[ArenaMaterial | None, bool]:
        """The stored picture with the AI's answer, and whether the AI had to look at it now.

        None when its content is unwanted or it cannot be used: unreadable, or of no model any more.
        """
        if candidate.decided is not None:
            return self._keep_decided(candidate, version, *candidate.decided), False
        assert candidate.path is not None
        try:
            data = read_limited(candidate.path, self._settings)
            sha256 = hashlib.sha256(data).hexdigest()
            if sha256 in unwanted:
                return None, False
            image = decode_image(data, self._settings)
            truth = self._keep_mask(candidate.mask_path)
        except (ImageRejected, NotFound):
            return None, False
        with self._store.session(read_only=True) as session:
            answer = arena_material.looked_at(session, sha256, stored_id(version.id))
        fresh = answer is None
        if answer is None:
            answer = self._ask(image, candidate.category)
        if answer is None:
            return None, True
        row = _material(candidate, answer, sha256)
        row.object_path, row.truth_path = self._store.objects.put(data, image.suffix), truth
        row.width, row.height = image.width, image.height
        return self._keep(row), fresh

    def _ask(self, image: DecodedImage, category: str) -> Inspection | None:
        """The champion's answer as an inspection that is in no batch."""
        examination = self._examiner().examine(image, category)
        if examination.score is None or examination.version is None:
            return None
        row = inspection_row(examination, image, "", category)
        buffer = io.BytesIO()
        np.save(buffer, np.asarray(examination.distances, dtype=np.float32), allow_pickle=False)
        row.map_path = self._store.objects.put(buffer.getvalue(), ".npy")
        return row

    def _keep_mask(self, path: Path | None) -> str:
        """Path of the mask's object; empty when there is none or it marks nothing."""
        if path is None:
            return ""
        mask = decode_mask(path, self._settings)
        if not mask.any():
            return ""
        return self._store.objects.put(encode_png(mask.astype(np.uint8) * 255), ".png")

    def _keep_decided(
        self, candidate: Candidate, version: ModelVersion, inspection: Inspection, image: Image
    ) -> ArenaMaterial:
        row = _material(candidate, inspection, inspection.content_sha256)
        row.object_path, row.width, row.height = image.object_path, image.width, image.height
        if candidate.defective:
            row.truth_boxes = _shares(inspection, image)
        return self._keep(row)

    def _keep(self, row: ArenaMaterial) -> ArenaMaterial:
        with self._store.session() as session:
            return arena_material.keep(session, row)


def _material(candidate: Candidate, answer: Inspection, sha256: str) -> ArenaMaterial:
    assert answer.score is not None
    assert answer.threshold is not None
    return ArenaMaterial(
        content_sha256=sha256,
        model_version_id=stored_id(answer.model_version_id),
        category=candidate.category,
        synthetic=candidate.synthetic,
        source=candidate.source,
        stamp=candidate.stamp,
        object_path="",
        width=0,
        height=0,
        defective=candidate.defective,
        ai_defective=answer.verdict == Verdict.ANOMALOUS,
        score=answer.score,
        threshold=answer.threshold,
        map_path=answer.map_path,
        map_facts=dict(answer.map_facts),
    )


def _shares(inspection: Inspection, image: Image) -> list[dict[str, float]]:
    """The marked regions in shares of the picture: what the reviewer agreed with."""
    return [
        {
            "x": region["x"] / image.width,
            "y": region["y"] / image.height,
            "width": region["width"] / image.width,
            "height": region["height"] / image.height,
        }
        for region in inspection.regions
    ]
