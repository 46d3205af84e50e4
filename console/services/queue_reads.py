"""Questions only the queue asks: what it can be narrowed by, all nights as one, names of defects."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from anomalyos.cases.tables import DefectCase
from anomalyos.inspection.tables import Batch, BatchKind, Inspection, Review
from anomalyos.knowledge.tables import KnowledgeEdge, Relation
from anomalyos.models.tables import Category, ModelVersion
from console.services import reads


@dataclass(frozen=True)
class Facets:
    """Names in their order; each list holds only what occurs."""

    categories: list[str]
    models: list[tuple[int, str]]
    """Id and ``hazelnut v3``."""
    reviewers: list[str]


def facets(session: Session, batch_key: str | None) -> Facets:
    """What a batch, or all nights together, can be narrowed by."""
    pairs = session.exec(
        select(Inspection.category_id, Inspection.model_version_id)
        .where(_in_batches(batch_key), col(Inspection.verdict).in_(reads.TO_DECIDE))
        .distinct()
    ).all()
    category_ids = {category_id for category_id, _ in pairs}
    model_ids = {model_id for _, model_id in pairs}
    names = session.exec(
        select(Category.name).where(col(Category.id).in_(category_ids)).order_by(Category.name)
    ).all()
    models = session.exec(
        select(ModelVersion.id, Category.name, ModelVersion.version)
        .join(Category, col(Category.id) == col(ModelVersion.category_id))
        .where(col(ModelVersion.id).in_(model_ids))
        .order_by(Category.name, col(ModelVersion.version).desc())
    ).all()
    return Facets(
        list(names),
        [(model_id or 0, f"{name} v{version}") for model_id, name, version in models],
        _reviewers(session, batch_key),
    )


def _reviewers(session: Session, batch_key: str | None) -> list[str]:
    query = (
        select(Review.reviewer)
        .join(Inspection, col(Inspection.id) == col(Review.inspection_id))
        .where(_in_batches(batch_key))
        .distinct()
        .order_by(Review.reviewer)
    )
    return list(session.exec(query).all())


def _in_batches(batch_key: str | None) -> ColumnElement[bool]:
    batches = select(Batch.id)
    batches = (
        batches.where(Batch.kind == BatchKind.NIGHTLY)
        if batch_key is None
        else batches.where(Batch.key == batch_key)
    )
    return col(Inspection.batch_id).in_(batches)


def every_night(session: Session, key: str) -> reads.NightRow | None:
    """All nights as if they were one, under the name ``key``; None when there has been none."""
    newest = session.exec(
        select(Batch).where(Batch.kind == BatchKind.NIGHTLY).order_by(col(Batch.day).desc()).limit(1)
    ).one_or_none()
    if newest is None:
        return None
    decided = col(Inspection.decision).is_not(None)
    counts = session.exec(
        select(Inspection.verdict, decided, func.count())
        .where(_in_batches(None))
        .group_by(col(Inspection.verdict), decided)
    ).all()
    return reads.night_row(newest, {(verdict, bool(flag)): count for verdict, flag, count in counts}, key=key)


def known_defects(session: Session, category: str) -> set[str]:
    """Names of defects that cases of a category carry or that its knowledge describes."""
    cases = session.exec(
        select(DefectCase.defect_type)
        .where(DefectCase.category == category, col(DefectCase.removed_at).is_(None))
        .distinct()
    ).all()
    described = session.exec(
        select(KnowledgeEdge.target).where(
            KnowledgeEdge.source == f"category:{category}",
            KnowledgeEdge.relation == Relation.HAS_DEFECT,
            col(KnowledgeEdge.removed_at).is_(None),
        )
    ).all()
    return {name for name in cases if name} | {key.rpartition("/")[2] for key in described}
