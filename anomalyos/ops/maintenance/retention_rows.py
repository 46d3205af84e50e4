"""Which rows a policy lets go, and letting go of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, exists, update
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from anomalyos.cases.tables import DefectCase
from anomalyos.explain.tables import Explanation
from anomalyos.inspection.tables import Image, Inspection, Verdict
from anomalyos.models import promotions
from anomalyos.models import versions as model_versions
from anomalyos.models.tables import Category, ModelVersion


def expired_normals(session: Session, before: datetime, limit: int | None = None) -> Sequence[int]:
    """Inspections older than ``before`` whose photograph may go: found normal, never reviewed, no case."""
    query: SelectOfScalar[int] = (
        select(col(Inspection.id))  # type: ignore[assignment]
        .where(
            Inspection.verdict == Verdict.NORMAL,
            Inspection.review_version == 0,
            col(Inspection.image_id).is_not(None),
            col(Inspection.created_at) < before,
            ~exists().where(col(DefectCase.inspection_id) == col(Inspection.id)),
        )
        .order_by(col(Inspection.id))
    )
    return session.exec(query if limit is None else query.limit(limit)).all()


def drop_photographs(session: Session, inspection_ids: Sequence[int]) -> None:
    """Detach photographs, maps and explanations from inspections; verdicts and figures stay.

    One that was reviewed since it was chosen keeps what it has.
    """
    chosen = col(Inspection.id).in_(inspection_ids)
    still = select(col(Inspection.id)).where(chosen, Inspection.review_version == 0)
    connection = session.connection()
    connection.execute(delete(Explanation).where(col(Explanation.inspection_id).in_(still)))
    connection.execute(
        update(Inspection)
        .where(chosen, col(Inspection.review_version) == 0)
        .values(image_id=None, map_path="", map_facts={})
    )


def drop_unused_images(session: Session, before: datetime) -> int:
    """Remove image rows older than ``before`` that no inspection shows; their files become orphans."""
    unused = ~exists().where(col(Inspection.image_id) == col(Image.id))
    done = session.connection().execute(delete(Image).where(unused, col(Image.created_at) < before))
    return int(done.rowcount)


def expired_versions(session: Session, keep: int) -> list[tuple[str, ModelVersion]]:
    """(category, version) beyond the ``keep`` newest, neither champion nor what a rollback returns to."""
    found: list[tuple[str, ModelVersion]] = []
    for category in session.exec(select(Category).order_by(col(Category.name))).all():
        needed = {category.champion_id, promotions.rollback_target(session, category.name)}
        versions = sorted(model_versions.list_versions(session, category.name), key=lambda row: -row.version)
        found += [(category.name, version) for version in versions[keep:] if version.id not in needed]
    return found
