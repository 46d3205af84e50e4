"""THE use case: an image becomes an inspection. The CLI, the DAGs, REST and the console all call this."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from queue import SimpleQueue
from typing import TYPE_CHECKING

import numpy as np

from anomalyos.core.arrays import Float32Array
from anomalyos.core.errors import AnomalyOSError, BundleError, NotFound
from anomalyos.core.progress import StageProgress
from anomalyos.core.settings import Settings, get_settings
from anomalyos.db.engine import Store, open_store
from anomalyos.features.recipes import get_recipe
from anomalyos.images.decoding import DecodedImage, ImageRejected, decode_image
from anomalyos.inspection import batches
from anomalyos.inspection.examination import Examination, Stopwatch
from anomalyos.inspection.keeping import Finished, keep
from anomalyos.inspection.tables import BatchKind, Inspection
from anomalyos.models.champions import Champions
from anomalyos.models.tables import ModelVersion
from anomalyos.patchcore.regions import flagged_regions
from anomalyos.patchcore.router import ROUTER_RECIPE, Route

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class _Seen:
    """One image as the router saw it, and where it goes from there."""

    image: DecodedImage
    embedding: Float32Array
    route: Route
    chosen: str | None


class Inspector:
    """Inspects images with the present champions. Safe to share between threads."""

    def __init__(self, settings: Settings, store: Store, *, lanes: int = 1) -> None:
        """An inspector that examines so many batches side by side; more than that wait for their turn.

        Args:
            lanes: with one, a batch has all of ``settings.threads``: the quickest answer for one image. With
                as many as threads each has one, and no thread waits for another: the most images a second.
        """
        self.settings = settings
        self.store = store
        self.lanes = lanes
        self.threads = max(1, settings.threads // lanes)
        own = settings if lanes == 1 else settings.model_copy(update={"threads": self.threads})
        self.champions = Champions(own, store)
        self._warm: set[str] = set()
        self._free: SimpleQueue[int] = SimpleQueue()
        for lane in range(lanes):
            self._free.put(lane)

    def categories(self) -> list[str]:
        """Categories that have a champion."""
        return sorted(self.champions.pointers())

    def warm_up(self, category: str | None = None) -> None:
        """Load the backbone, and the bundle of ``category`` or of all, so that the first image is quick.

        What is warm already costs one look at the database: call it again after promotions.
        """
        pointers = self.champions.pointers()
        wanted = pointers if category is None else {category: pointers[category]}
        blank = np.zeros((64, 64, 3), dtype=np.uint8)
        for version in wanted.values():
            if version.bundle_sha256 in self._warm:
                continue
            bundle = self.champions.load(version)
            with self._lane() as lane:
                patches, _ = self.champions.extractor(bundle.recipe, lane).extract([blank])
                bundle.model.score(patches[0])
            self._warm.add(version.bundle_sha256)

    def inspect(
        self,
        data: bytes,
        *,
        source: str,
        batch_key: str,
        category: str | None = None,
        progress: StageProgress | None = None,
    ) -> Inspection:
        """Inspect one image and keep the result.

        The same bytes from the same source in the same batch give the row that is there already. An
        image that cannot be read is kept and recorded as rejected; that is a result, not an error.

        Args:
            data: the file as it came.
            source: where it came from: the path inside the inbox, or ``upload:NAME``.
            batch_key: key of an existing batch.
            category: the product, when the caller knows; checked against the router, not overruled.

        Raises:
            NotFound: for an unknown batch or category, or when no category has a model yet.
            BundleError: when the champion's bundle is damaged.
        """
        watch = Stopwatch(progress)
        try:
            with watch.stage("decode"):
                image = self.decode(data)
        except ImageRejected as error:
            refused = Finished(data, source, category, None, error, watch.timings())
            return self.keep([refused], batch_key)[0]
        examination = self.examine(image, category, watch)
        with watch.stage("store"):
            finished = Finished(data, source, category, image, examination, watch.timings())
            return self.keep([finished], batch_key)[0]

    def decode(self, data: bytes) -> DecodedImage:
        """Raises ``ImageRejected``, whatever is wrong with the bytes."""
        return decode_image(data, self.settings)

    def examine(
        self, image: DecodedImage, category: str | None = None, watch: Stopwatch | None = None
    ) -> Examination:
        """Route and score a decoded image without storing anything.

        Raises:
            NotFound: for an unknown category, or when no category has a model yet.
            BundleError: when the champion's bundle is damaged.
        """
        found = self.examine_many([image], category, watch)[0]
        if isinstance(found, AnomalyOSError):
            raise found
        return found

    def examine_many(
        self, images: Sequence[DecodedImage], category: str | None = None, watch: Stopwatch | None = None
    ) -> list[Examination | AnomalyOSError]:
        """The same of several images at once: routed together, then scored together product by product.

        Returns:
            For each image, in order, what ``examine`` returns or raises of it alone, up to rounding.

        Raises:
            NotFound: for an unknown category, or when no category has a model yet.
            Exception: what goes wrong with the batch as a whole, such as too little memory.
        """
        watch = watch or Stopwatch()
        pointers = self.champions.pointers()
        self._check_known(pointers, category)
        with self._lane() as lane:
            with watch.stage("route"):
                seen, patches = self._route(images, pointers, category, lane)
            found: list[Examination | AnomalyOSError | None] = [
                one if isinstance(one, AnomalyOSError) else None for one in seen
            ]
            routed = {place: one for place, one in enumerate(seen) if not isinstance(one, AnomalyOSError)}
            for chosen in dict.fromkeys(one.chosen for one in routed.values()):
                group = {place: one for place, one in routed.items() if one.chosen == chosen}
                own = patches if len(group) == len(images) else patches[list(group)]
                version = None if chosen is None else pointers[chosen]
                answers = self._examine_group(list(group.values()), own, version, lane, watch)
                for place, answer in zip(group, answers, strict=True):
                    found[place] = answer
        return [one for one in found if one is not None]

    def keep(
        self, finished: Sequence[Finished], batch_key: str, writers: Executor | None = None
    ) -> list[Inspection]:
        """Store results; see :func:`anomalyos.inspection.keeping.keep`."""
        return keep(self.store, batch_key, finished, writers)

    @contextmanager
    def _lane(self) -> Iterator[int]:
        """A lane of one's own, once one is free."""
        lane = self._free.get()
        try:
            if self.lanes > 1:
                import torch

                # each thread that computes has a number of its own
                torch.set_num_threads(self.threads)
            yield lane
        finally:
            self._free.put(lane)

    def _route(
        self,
        images: Sequence[DecodedImage],
        pointers: dict[str, ModelVersion],
        category: str | None,
        lane: int,
    ) -> tuple[list[_Seen | BundleError], Tensor]:
        """Where each image goes, and the patches (N, rows, cols, D) of the router's recipe."""
        router = self.champions.router(pointers)
        extractor = self.champions.extractor(get_recipe(ROUTER_RECIPE), lane)
        patches, whole = extractor.extract([image.rgb for image in images])
        embeddings = whole.cpu().numpy()
        seen: list[_Seen | BundleError] = []
        for place, image in enumerate(images):
            try:
                route = router.route(embeddings[place], category)
            except BundleError as error:
                seen.append(error)
            else:
                seen.append(_Seen(image, embeddings[place], route, category or route.category))
        return seen, patches

    def _examine_group(
        self,
        group: list[_Seen],
        patches: Tensor,
        version: ModelVersion | None,
        lane: int,
        watch: Stopwatch,
    ) -> Sequence[Examination | AnomalyOSError]:
        """Images that go the same way; when their product's bundle is damaged, that is each one's answer.

        Args:
            patches: (N, rows, cols, D), of the router's recipe.
            version: the model they go to; None for images of no known category.
        """
        if version is None:
            return [Examination(one.route, None, embedding=one.embedding) for one in group]
        try:
            bundle = self.champions.load(version)
            with watch.stage("features"):
                if bundle.recipe.feature_key() != get_recipe(ROUTER_RECIPE).feature_key():
                    extractor = self.champions.extractor(bundle.recipe, lane)
                    patches, _ = extractor.extract([one.image.rgb for one in group])
        except AnomalyOSError as error:
            return [error] * len(group)
        with watch.stage("search"):
            results = bundle.model.score_many(patches)
        with watch.stage("map"):
            regions = []
            for one, result in zip(group, results, strict=True):
                heat = bundle.model.heat(result)
                size = (one.image.width, one.image.height)
                regions.append(flagged_regions(heat, bundle.calibration, result.score, size))
        return [
            Examination(
                route=one.route,
                category=one.chosen,
                version=version,
                bundle=bundle,
                score=result.score,
                distances=result.distances,
                regions=tuple(region.as_dict() for region in own),
                embedding=one.embedding,
            )
            for one, result, own in zip(group, results, regions, strict=True)
        ]

    def _check_known(self, pointers: dict[str, ModelVersion], category: str | None) -> None:
        if not pointers:
            raise NotFound("No category has a model yet.", "Build one with 'anomalyos rebuild'.")
        if category is not None and category not in pointers:
            raise NotFound(
                f"'{category}' has no model.", f"Categories with a model: {', '.join(sorted(pointers))}."
            )


def live_batch(store: Store) -> str:
    """Key of today's batch of live inspections, made when it is the first."""
    day = datetime.now().astimezone().date().isoformat()
    key = f"live-{day}"
    with store.session() as session:
        batches.get_or_create(session, key=key, kind=BatchKind.LIVE.value, day=day)
    return key


@lru_cache(maxsize=1)
def get_inspector() -> Inspector:
    """The process's inspector, under the process's settings."""
    settings = get_settings()
    return Inspector(settings, open_store(settings))
