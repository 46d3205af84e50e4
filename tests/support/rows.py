"""Rows for tests, with everything that does not matter filled in."""

from __future__ import annotations

from typing import Any

from sqlmodel import Session

from anomalyos.db.rows import stored_id
from anomalyos.inspection import batches, inspections
from anomalyos.inspection.tables import Batch, Inspection
from anomalyos.models import categories
from anomalyos.models import versions as model_versions
from anomalyos.models.tables import ModelVersion


def model_version(category_id: int, number: int) -> ModelVersion:
    return ModelVersion(
        category_id=category_id,
        version=number,
        content_key=f"{number:064d}",
        bundle_path=f"c/v{number:04d}",
        bundle_sha256="b" * 64,
        recipe="lite",
        recipe_hash="c" * 64,
        alpha=0.05,
        threshold=1.0,
        metrics={"image_auroc": 0.9},
    )


def category_with_versions(session: Session, name: str, count: int) -> tuple[int, list[int]]:
    """Ids of a new category and of its versions 1 to ``count``."""
    category_id = stored_id(categories.ensure(session, name).id)
    versions = [model_versions.add(session, model_version(category_id, n)) for n in range(1, count + 1)]
    return category_id, [stored_id(version.id) for version in versions]


def batch(session: Session, key: str = "night-2026-11-24") -> Batch:
    return batches.get_or_create(session, key=key, kind="nightly", day="2026-11-24")


def inspection(
    session: Session, source: str = "1.png", batch_key: str = "night-2026-11-24", **fields: Any
) -> int:
    """Id of a recorded inspection; anomalous unless ``verdict`` says otherwise."""
    row = Inspection(
        work_key=inspections.work_key(batch_key, source, "a" * 64),
        batch_id=stored_id(batch(session, batch_key).id),
        source=source,
        content_sha256="a" * 64,
        **{"verdict": "anomalous", **fields},
    )
    return stored_id(inspections.record(session, row)[0].id)
