"""Labelled pictures for the Arena: what is known of them, and which a person should not get."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from anomalyos.arena.tables import ArenaCall, ArenaMaterial, ArenaRound
from anomalyos.db.rows import get_or_create, storable
from anomalyos.inspection.tables import Decision, Image, Inspection, Review, Verdict

LATEST_DECIDED = 300
"""Decided inspections a round may draw from; older ones were looked at by a model of long ago."""
INSPECTION = "inspection:"
"""How the source of a picture begins whose label is a reviewer's decision."""
LABELS = (Decision.DEFECT.value, Decision.FALSE_ALARM.value)


def keep(session: Session, row: ArenaMaterial) -> ArenaMaterial:
    """Store what is known of a picture; a row of the same content and model is brought up to date."""
    row.source = storable(row.source)
    query = select(ArenaMaterial).where(
        ArenaMaterial.content_sha256 == row.content_sha256,
        ArenaMaterial.model_version_id == row.model_version_id,
    )
    kept, new = get_or_create(session, row, lambda: session.exec(query).one_or_none())
    if not new and (row.source.startswith(INSPECTION) <= kept.source.startswith(INSPECTION)):
        # a decision never overrules the label of the data set
        for name in ("source", "stamp", "defective", "truth_path", "truth_boxes", "category", "synthetic"):
            setattr(kept, name, getattr(row, name))
        session.add(kept)
        session.flush()
    return kept


def known(session: Session, model_version_ids: Iterable[int]) -> Sequence[ArenaMaterial]:
    """Every picture these models have looked at for the Arena."""
    query = select(ArenaMaterial).where(col(ArenaMaterial.model_version_id).in_(list(model_version_ids)))
    return session.exec(query).all()


def by_ids(session: Session, ids: Sequence[int]) -> list[ArenaMaterial]:
    """Rows in the order of ``ids``; those that are gone are left out."""
    rows = session.exec(select(ArenaMaterial).where(col(ArenaMaterial.id).in_(ids))).all()
    found = {row.id: row for row in rows}
    return [found[key] for key in ids if key in found]


def reviewed(session: Session, since: datetime, reviewer: str | None = None) -> set[str]:
    """SHA-256 of the pictures reviewed since then, by one person or by anybody."""
    query = (
        select(Inspection.content_sha256)
        .join(Review, col(Review.inspection_id) == col(Inspection.id))
        .where(col(Review.created_at) >= since)
        .distinct()
    )
    if reviewer is not None:
        query = query.where(Review.reviewer == reviewer)
    return set(session.exec(query).all())


def met(session: Session, user_id: int) -> dict[str, int]:
    """SHA-256 of the pictures a person was shown in the Arena, and how often."""
    query = (
        select(ArenaMaterial.content_sha256, func.count())
        .join(ArenaCall, col(ArenaCall.material_id) == col(ArenaMaterial.id))
        .join(ArenaRound, col(ArenaRound.id) == col(ArenaCall.round_id))
        .where(ArenaRound.user_id == user_id, col(ArenaCall.shown_at).is_not(None))
        .group_by(ArenaMaterial.content_sha256)
    )
    return dict(session.exec(query).all())


def decided(session: Session, model_version_ids: Iterable[int]) -> Sequence[tuple[Inspection, Image]]:
    """The latest inspections of these models that a person called a defect or a false alarm."""
    query = (
        select(Inspection, Image)
        .join(Image, col(Image.id) == col(Inspection.image_id))
        .where(
            col(Inspection.decision).in_(LABELS),
            col(Inspection.model_version_id).in_(list(model_version_ids)),
            Inspection.map_path != "",
        )
        .order_by(col(Inspection.id).desc())
        .limit(LATEST_DECIDED)
    )
    return session.exec(query).all()


def looked_at(session: Session, content_sha256: str, model_version_id: int) -> Inspection | None:
    """An inspection of this very content by this very model: its answer is the AI's answer."""
    query = (
        select(Inspection)
        .where(
            Inspection.content_sha256 == content_sha256,
            Inspection.model_version_id == model_version_id,
            col(Inspection.verdict).in_([Verdict.NORMAL.value, Verdict.ANOMALOUS.value]),
            Inspection.map_path != "",
        )
        .order_by(col(Inspection.id))
        .limit(1)
    )
    return session.exec(query).first()
