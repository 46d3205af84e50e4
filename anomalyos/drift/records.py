"""The records drift is measured on: a champion's first and latest inspections, and injected ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from anomalyos.db.rows import get_or_create
from anomalyos.drift.tables import ImageEmbedding, InjectedRecord
from anomalyos.inspection.tables import Image, Inspection, Verdict

_AT_ONCE = 500
"""Parameters of one query: databases have a limit."""
_SCORED = (Verdict.NORMAL.value, Verdict.ANOMALOUS.value)


@dataclass(frozen=True)
class DriftRecord:
    """One scored image of a champion, real or injected."""

    key: str
    """``inspection:17`` or ``injected:3``."""
    at: datetime
    score: float
    routed_category: str | None
    """None when the router knew it for none."""
    sha256: str = ""
    object_path: str = ""
    """Relative to ``Settings.objects_dir``; both empty for an injected record, which brings its figures."""
    injected: InjectedRecord | None = None


def first_records(session: Session, version_id: int, count: int) -> list[DriftRecord]:
    """The ``count`` earliest records of one model version, earliest first."""
    both = [*_inspections(session, version_id, count), *_injected(session, version_id, count)]
    return sorted(both, key=_order)[:count]


def latest_records(session: Session, version_id: int, count: int) -> list[DriftRecord]:
    """The ``count`` latest records of one model version, earliest first."""
    both = [
        *_inspections(session, version_id, count, latest=True),
        *_injected(session, version_id, count, latest=True),
    ]
    return sorted(both, key=_order)[-count:]


def _order(record: DriftRecord) -> tuple[datetime, str]:
    return record.at, record.key


def _inspections(session: Session, version_id: int, count: int, *, latest: bool = False) -> list[DriftRecord]:
    number = col(Inspection.id)
    query = (
        select(Inspection, Image)
        .join(Image, col(Image.id) == col(Inspection.image_id))
        .where(Inspection.model_version_id == version_id, col(Inspection.verdict).in_(_SCORED))
        .order_by(number.desc() if latest else number)
        .limit(count)
    )
    return [
        DriftRecord(
            key=f"inspection:{row.id}",
            at=row.created_at,
            score=float(row.score if row.score is not None else 0.0),
            routed_category=row.routed_category,
            sha256=image.sha256,
            object_path=image.object_path,
        )
        for row, image in session.exec(query)
    ]


def _injected(session: Session, version_id: int, count: int, *, latest: bool = False) -> list[DriftRecord]:
    number = col(InjectedRecord.id)
    query = (
        select(InjectedRecord)
        .where(InjectedRecord.model_version_id == version_id)
        .order_by(number.desc() if latest else number)
        .limit(count)
    )
    return [
        DriftRecord(f"injected:{row.id}", row.created_at, row.score, row.routed_category, injected=row)
        for row in session.exec(query)
    ]


def count_injected(session: Session, categories: Iterable[str]) -> dict[str, int]:
    """Injected records by category; categories without any are left out."""
    query = (
        select(InjectedRecord.category, func.count())
        .where(col(InjectedRecord.category).in_(list(categories)))
        .group_by(InjectedRecord.category)
    )
    return dict(session.exec(query).all())


def clear_injected(session: Session, category: str | None = None) -> int:
    """Delete injected records, of one category or all; returns how many went."""
    query = delete(InjectedRecord)
    if category is not None:
        query = query.where(col(InjectedRecord.category) == category)
    return session.connection().execute(query).rowcount


def find_embeddings(session: Session, hashes: Iterable[str], recipe: str) -> dict[str, bytes]:
    """Kept embeddings of these contents, by SHA-256."""
    wanted = sorted(set(hashes))
    found: dict[str, bytes] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        query = select(ImageEmbedding).where(
            col(ImageEmbedding.sha256).in_(wanted[start : start + _AT_ONCE]), ImageEmbedding.recipe == recipe
        )
        found |= {row.sha256: row.vector for row in session.exec(query)}
    return found


def keep_embeddings(session: Session, rows: Iterable[ImageEmbedding]) -> None:
    """Keep embeddings; what another process kept meanwhile stays."""
    for row in rows:
        identity = (row.sha256, row.recipe)
        get_or_create(session, row, lambda: session.get(ImageEmbedding, identity))  # noqa: B023
    session.flush()


def scored_count(session: Session, version_id: int, limit: int) -> int:
    """How many records one model version has, counted up to ``limit``."""
    return len(first_records(session, version_id, limit))
