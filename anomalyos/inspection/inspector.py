"""THE use case: an image becomes an inspection. The CLI, the DAGs, REST and the console all call this."""

from __future__ import annotations

import hashlib
import io
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from anomalyos.core.errors import NotFound
from anomalyos.core.progress import StageProgress
from anomalyos.core.settings import Settings, get_settings
from anomalyos.db.engine import Store, open_store
from anomalyos.db.rows import stored_id
from anomalyos.features.recipes import get_recipe
from anomalyos.images.decoding import DecodedImage, ImageRejected, decode_image
from anomalyos.inspection import batches, images, inspections
from anomalyos.inspection.tables import BatchKind, Inspection, Verdict
from anomalyos.models import categories
from anomalyos.models.champions import Champions
from anomalyos.models.tables import ModelVersion
from anomalyos.patchcore.bundle import Bundle
from anomalyos.patchcore.regions import flagged_regions
from anomalyos.patchcore.router import ROUTER_RECIPE, CategoryRouter, Route

if TYPE_CHECKING:
    from torch import Tensor

STAGES = ("decode", "route", "features", "search", "map", "store")


@dataclass(frozen=True)
class Examination:
    """What the models say of one decoded image, before anything is stored."""

    route: Route
    category: str | None
    version: ModelVersion | None = None
    bundle: Bundle | None = None
    score: float | None = None
    distances: Any = None
    """(rows, cols) float32"""
    regions: tuple[dict[str, Any], ...] = ()
    embedding: Any = None
    """(C,) float32, unit length: the whole image, as it was routed"""


class Stopwatch:
    """Milliseconds by stage, and word of each stage to whoever waits."""

    def __init__(self, progress: StageProgress | None) -> None:
        self.progress = progress
        self.begun = time.perf_counter()
        self.spent: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        if self.progress is not None:
            self.progress(name, STAGES.index(name) / len(STAGES))
        start = time.perf_counter()
        try:
            yield
        finally:
            self.spent[name] = round(self.spent.get(name, 0.0) + (time.perf_counter() - start) * 1000, 2)

    def timings(self) -> dict[str, float]:
        return {**self.spent, "total": round((time.perf_counter() - self.begun) * 1000, 2)}


class Inspector:
    """Inspects images with the present champions. Safe to share between threads."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self.settings = settings
        self.store = store
        self.champions = Champions(settings, store)
        self._router: tuple[frozenset[str], CategoryRouter] | None = None
        self._warm: set[str] = set()
        # one image at a time: two would only share the same cores and double the memory
        self._working = threading.Lock()

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
            with self._working:
                patches, _ = self.champions.extractor(bundle.recipe).extract([blank])
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
                image = decode_image(data, self.settings)
        except ImageRejected as error:
            return self._keep_rejected(data, error, source, batch_key, category, watch)
        examination = self.examine(image, category, watch)
        with watch.stage("store"):
            image_path = self.store.objects.put(data, image.suffix)
            map_path = self._put_map(examination)
            row = inspection_row(examination, image, source, category)
            row.map_path = map_path
            row.timings_ms = watch.timings()
            return self._record(row, batch_key, image, image_path)

    def examine(
        self, image: DecodedImage, category: str | None = None, watch: Stopwatch | None = None
    ) -> Examination:
        """Route and score a decoded image without storing anything.

        Raises:
            NotFound: for an unknown category, or when no category has a model yet.
        """
        watch = watch or Stopwatch(None)
        pointers = self.champions.pointers()
        self._check_known(pointers, category)
        with self._working:
            router_recipe = get_recipe(ROUTER_RECIPE)
            with watch.stage("route"):
                router = self._current_router(pointers)
                patches, whole = self.champions.extractor(router_recipe).extract([image.rgb])
                embedding = whole[0].cpu().numpy()
                route = router.route(embedding)
            chosen = category or route.category
            if chosen is None:
                return Examination(route, None, embedding=embedding)
            bundle = self.champions.load(pointers[chosen])
            with watch.stage("features"):
                if bundle.recipe.feature_key() != router_recipe.feature_key():
                    patches, _ = self.champions.extractor(bundle.recipe).extract([image.rgb])
            found = self._score(bundle, pointers[chosen], route, chosen, patches[0], image, watch)
            return replace(found, embedding=embedding)

    def _score(
        self,
        bundle: Bundle,
        version: ModelVersion,
        route: Route,
        category: str,
        patches: Tensor,
        image: DecodedImage,
        watch: Stopwatch,
    ) -> Examination:
        with watch.stage("search"):
            result = bundle.model.score(patches)
        with watch.stage("map"):
            heat = bundle.model.heat(result)
            size = (image.width, image.height)
            regions = flagged_regions(heat, bundle.calibration, result.score, size)
        found = tuple(region.as_dict() for region in regions)
        return Examination(route, category, version, bundle, result.score, result.distances, found)

    def _check_known(self, pointers: dict[str, ModelVersion], category: str | None) -> None:
        if not pointers:
            raise NotFound("No category has a model yet.", "Build one with 'anomalyos rebuild'.")
        if category is not None and category not in pointers:
            raise NotFound(
                f"'{category}' has no model.", f"Categories with a model: {', '.join(sorted(pointers))}."
            )

    def _current_router(self, pointers: dict[str, ModelVersion]) -> CategoryRouter:
        state = frozenset(version.bundle_sha256 for version in pointers.values())
        if self._router is None or self._router[0] != state:
            prototypes = {name: self.champions.load(version).prototype for name, version in pointers.items()}
            self._router = (state, CategoryRouter(prototypes))
        return self._router[1]

    def _put_map(self, examination: Examination) -> str:
        if examination.distances is None:
            return ""
        buffer = io.BytesIO()
        np.save(buffer, examination.distances.astype(np.float32), allow_pickle=False)
        return self.store.objects.put(buffer.getvalue(), ".npy")

    def _keep_rejected(
        self,
        data: bytes,
        error: ImageRejected,
        source: str,
        batch_key: str,
        category: str | None,
        watch: Stopwatch,
    ) -> Inspection:
        if data:
            self.store.objects.put(data, ".rejected")
        sha256 = hashlib.sha256(data).hexdigest()
        row = inspections.rejected(source, sha256, error.code, error.message, category)
        row.timings_ms = watch.timings()
        return self._record(row, batch_key, None, "")

    def _record(
        self, row: Inspection, batch_key: str, image: DecodedImage | None, image_path: str
    ) -> Inspection:
        """One transaction for everything; the files are there already."""
        with self.store.session() as session:
            row.batch_id = stored_id(batches.by_key(session, batch_key).id)
            row.work_key = inspections.work_key(batch_key, row.source, row.content_sha256)
            if image is not None:
                stored = images.get_or_create(
                    session,
                    sha256=image.sha256,
                    object_path=image_path,
                    format=image.format,
                    width=image.width,
                    height=image.height,
                    size_bytes=image.size_bytes,
                )
                row.image_id = stored_id(stored.id)
            name = row.given_category or row.routed_category
            if row.model_version_id is not None and name is not None:
                row.category_id = stored_id(categories.by_name(session, name).id)
            return inspections.record(session, row)[0]


def inspection_row(
    examination: Examination, image: DecodedImage, source: str, given: str | None
) -> Inspection:
    """The row of one examined image, without its batch, files and timings."""
    route = examination.route
    row = Inspection(
        work_key="",
        batch_id=0,
        source=source,
        content_sha256=image.sha256,
        verdict=Verdict.UNKNOWN_CATEGORY.value,
        given_category=given,
        routed_category=route.category,
        routed_similarity=round(route.similarity, 6),
        route_mismatch=given is not None and route.category is not None and route.category != given,
    )
    bundle, version, score = examination.bundle, examination.version, examination.score
    if bundle is None or version is None or score is None:
        return row
    calibration, recipe = bundle.calibration, bundle.recipe
    threshold = calibration.threshold()
    row.verdict = (Verdict.ANOMALOUS if score > threshold else Verdict.NORMAL).value
    row.model_version_id, row.bundle_sha256 = version.id, bundle.sha256
    row.score, row.threshold, row.alpha = score, threshold, calibration.effective_alpha()
    row.p_value, row.calibration_groups = calibration.p_value(score), calibration.group_count
    row.regions = list(examination.regions)
    row.map_facts = {
        "input_size": recipe.input_size,
        "border": recipe.border,
        "sigma": recipe.smoothing_sigma,
        "median": calibration.map_median,
        "threshold": calibration.map_threshold,
        "width": image.width,
        "height": image.height,
    }
    return row


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
