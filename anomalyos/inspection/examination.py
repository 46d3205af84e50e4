"""What the models say of one image, how long each stage took, and the row that keeps it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from anomalyos.core.progress import StageProgress
from anomalyos.images.decoding import DecodedImage
from anomalyos.inspection.tables import Inspection, Verdict
from anomalyos.models.tables import ModelVersion
from anomalyos.patchcore.bundle import Bundle
from anomalyos.patchcore.router import Route

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

    def __init__(self, progress: StageProgress | None = None) -> None:
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

    def share(self, images: int) -> dict[str, float]:
        """One image's part of the time that ``images`` took together."""
        return {name: round(spent / images, 2) for name, spent in self.timings().items()}


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
