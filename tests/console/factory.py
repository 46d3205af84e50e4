"""Rows the console can show, made without any model: decoding and storing are the real ones."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from typing import Any

import numpy as np

from anomalyos.core.errors import NotFound
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.images.decoding import ImageRejected, decode_image, encode_png
from anomalyos.inspection import batches, images, inspections
from anomalyos.inspection.tables import Inspection, Verdict
from anomalyos.models import categories
from anomalyos.models import versions as model_versions
from anomalyos.models.tables import Category, ModelVersion

GROUPS = 60
THRESHOLD = 2.0


@dataclass(frozen=True)
class Judgement:
    """What a model would say: the score, patch distances (rows, cols) and regions."""

    score: float
    distances: np.ndarray
    regions: list[dict[str, Any]]


def judge_by_red(rgb: np.ndarray) -> Judgement:
    """Red pixels are the defect: enough to make scores, maps and regions that belong to the picture."""
    wide = rgb.astype(np.int32)
    red = (wide[..., 0] > wide[..., 1] + 120) & (wide[..., 0] > wide[..., 2] + 120)
    return judge_by_mask(red, float(rgb.mean()) % 1.0)


def judge_by_mask(mask: np.ndarray, jitter: float = 0.0) -> Judgement:
    """Score and map of an image whose defect is ``mask`` (H, W) bool."""
    height, width = mask.shape
    rows = cols = 14
    distances = np.full((rows, cols), 1.0, dtype=np.float32)
    y, x = np.nonzero(mask)
    if not len(x):
        return Judgement(0.8 + 0.6 * jitter, distances, [])
    np.maximum.at(distances, (y * rows // height, x * cols // width), 3.2)
    region = {
        "x": int(x.min()),
        "y": int(y.min()),
        "width": int(np.ptp(x)) + 1,
        "height": int(np.ptp(y)) + 1,
        "peak": 3.2,
        "peak_x": int(x.mean()),
        "peak_y": int(y.mean()),
        "area_px": len(x),
        "area_share": len(x) / mask.size,
    }
    return Judgement(2.4 + jitter + min(1.5, 20 * len(x) / mask.size), distances, [region])


def add_category(store: Store, name: str, *, synthetic: bool = True) -> Category:
    """A category with a champion."""
    with store.session() as session:
        category = categories.ensure(session, name, synthetic=synthetic)
        assert category.id is not None
        version = model_versions.add(
            session,
            ModelVersion(
                category_id=category.id,
                version=model_versions.next_version(session, category.id),
                content_key=hashlib.sha256(name.encode()).hexdigest(),
                bundle_path=f"{name}/v0001",
                bundle_sha256=hashlib.sha256(name.encode()).hexdigest(),
                recipe="lite",
                recipe_hash="0" * 64,
                alpha=0.05,
                threshold=THRESHOLD,
                gate_passed=True,
            ),
        )
        category.champion_id = version.id
        session.add(category)
    return category


class FakeInspector:
    """Stores what ``Inspector`` would, judged by colour instead of by a model."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self.settings = settings
        self.store = store
        self.warmed = False
        self.judge = judge_by_red

    def warm_up(self, category: str | None = None) -> None:
        self.warmed = True

    def categories(self) -> list[str]:
        with self.store.session(read_only=True) as session:
            return [category.name for category in categories.list_all(session) if category.champion_id]

    def inspect(
        self, data: bytes, *, source: str, batch_key: str, category: str | None = None, progress: Any = None
    ) -> Inspection:
        known = self.categories()
        if category is not None and category not in known:
            raise NotFound(f"'{category}' has no model.")
        for index, stage in enumerate(("decode", "route", "features", "search", "map", "store")):
            if progress is not None:
                progress(stage, index / 6)
        row = Inspection(
            work_key="",
            batch_id=0,
            source=source,
            content_sha256=hashlib.sha256(data).hexdigest(),
            verdict="",
        )
        try:
            image = decode_image(data, self.settings)
        except ImageRejected as error:
            row.verdict, row.reject_code = Verdict.REJECTED.value, error.code
            row.reject_reason, row.given_category = error.message, category
            return self._record(row, batch_key)
        chosen = category or (known[0] if known and image.rgb.mean() > 20 else None)
        row.given_category, row.routed_category, row.routed_similarity = category, chosen, 0.91
        if chosen is None:
            row.verdict, row.routed_similarity = Verdict.UNKNOWN_CATEGORY.value, 0.31
        else:
            self._judge(row, image.rgb, chosen)
        row.timings_ms = {
            "decode": 3.1,
            "route": 21.0,
            "features": 44.2,
            "search": 9.5,
            "map": 4.4,
            "store": 6.0,
        }
        row.timings_ms["total"] = sum(row.timings_ms.values())
        path = self.store.objects.put(data, image.suffix)
        with self.store.session() as session:
            stored = images.get_or_create(
                session,
                sha256=image.sha256,
                object_path=path,
                format=image.format,
                width=image.width,
                height=image.height,
                size_bytes=image.size_bytes,
            )
        row.image_id = stored.id
        return self._record(row, batch_key)

    def _judge(self, row: Inspection, rgb: np.ndarray, category: str) -> None:
        judgement = self.judge(rgb)
        with self.store.session(read_only=True) as session:
            known = categories.by_name(session, category)
        buffer = io.BytesIO()
        np.save(buffer, judgement.distances, allow_pickle=False)
        row.category_id, row.model_version_id = known.id, known.champion_id
        row.score, row.threshold, row.alpha = judgement.score, THRESHOLD, 0.05
        flagged = judgement.score > THRESHOLD
        row.verdict = (Verdict.ANOMALOUS if flagged else Verdict.NORMAL).value
        row.p_value = max(1 / (GROUPS + 1), 0.05 - 0.03 * (judgement.score - THRESHOLD)) if flagged else 0.4
        row.calibration_groups = GROUPS
        row.regions = judgement.regions
        row.map_path = self.store.objects.put(buffer.getvalue(), ".npy")
        height, width = rgb.shape[:2]
        row.map_facts = {
            "input_size": 224,
            "border": 0,
            "sigma": 6.0,
            "median": 1.0,
            "threshold": 1.8,
            "width": width,
            "height": height,
        }

    def _record(self, row: Inspection, batch_key: str) -> Inspection:
        with self.store.session() as session:
            batch = batches.by_key(session, batch_key)
            assert batch.id is not None
            row.batch_id = batch.id
            row.work_key = inspections.work_key(batch_key, row.source, row.content_sha256)
            return inspections.record(session, row)[0]


def fake_heatmap(store: Store, inspection: Inspection) -> bytes:
    """A real RGBA PNG, without the model code's imports."""
    rgba = np.zeros((16, 16, 4), dtype=np.uint8)
    rgba[4:9, 4:9] = (255, 160, 60, 220)
    return encode_png(rgba)


def open_night(store: Store, day: str, *, expected: int = 0) -> str:
    key = f"night-{day}"
    with store.session() as session:
        batch = batches.get_or_create(session, key=key, kind="nightly", day=day)
        assert batch.id is not None
        batches.set_expected(session, batch.id, expected)
    return key


def finish_night(store: Store, key: str) -> None:
    with store.session() as session:
        batch = batches.by_key(session, key)
        assert batch.id is not None
        batches.finish(session, batch.id)
