"""What the pages show, read from the store in one session and independent of it afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from anomalyos.core.errors import NotFound
from anomalyos.inspection.tables import Batch, Image, Inspection, Review, Verdict
from anomalyos.models.tables import Category, ModelVersion
from anomalyos.patchcore.calibration import p_value_in_words
from console.texts import wording


@dataclass(frozen=True)
class Card:
    """One row of the queue: just enough to recognise an item."""

    id: int
    verdict: str
    category: str
    synthetic: bool
    source: str
    p_value: float | None
    odds: str
    """``1 in 60 normals``, empty when there is no p-value."""
    decision: str | None
    review_version: int
    has_image: bool
    reject_code: str
    reject_reason: str


@dataclass(frozen=True)
class ReviewView:
    version: int
    kind: str
    """``decide`` or ``undo``."""
    decision: str
    defect_type: str
    note: str
    reviewer: str
    when: datetime


@dataclass(frozen=True)
class Detail:
    """One inspection with everything a reviewer needs to decide."""

    card: Card
    sentence: str
    """The verdict in words, with the p-value's meaning."""
    p_value_words: str
    score: float | None
    threshold: float | None
    alpha: float | None
    width: int
    """Pixels of the EXIF-oriented image, 0 when there is none."""
    height: int
    regions: list[dict[str, Any]]
    has_map: bool
    given_category: str | None
    routed_category: str | None
    routed_similarity: float | None
    route_mismatch: bool
    model: str
    """``hazelnut v3`` or empty."""
    recipe: str
    timings_ms: dict[str, float]
    batch_key: str
    batch_title: str
    created_at: datetime
    history: list[ReviewView] = field(default_factory=list)


def odds(row: Inspection) -> str:
    """A p-value as a few words for a list: ``1 in 60``, or ``above all 50`` at its lowest value."""
    if row.p_value is None or row.p_value <= 0:
        return ""
    groups = row.calibration_groups or 0
    if groups and row.p_value <= (1 + 1e-9) / (groups + 1):
        return f"above all {groups} normals"
    if row.p_value >= 0.5:
        return f"{row.p_value:.0%} of normals"
    return f"1 in {round(1 / row.p_value):,} normals"


def cards(session: Session, rows: Sequence[Inspection]) -> list[Card]:
    """Cards for ``rows`` in their order, with one query for all categories."""
    wanted = {row.category_id for row in rows if row.category_id is not None}
    found = session.exec(select(Category).where(col(Category.id).in_(wanted))).all() if wanted else []
    by_id = {category.id: category for category in found}
    return [_card(row, by_id.get(row.category_id)) for row in rows]


def _card(row: Inspection, category: Category | None) -> Card:
    assert row.id is not None
    return Card(
        id=row.id,
        verdict=row.verdict,
        category=category.name if category else row.routed_category or row.given_category or "",
        synthetic=bool(category and category.synthetic),
        source=row.source.removeprefix("upload:"),
        p_value=row.p_value,
        odds=odds(row),
        decision=row.decision,
        review_version=row.review_version,
        has_image=row.image_id is not None,
        reject_code=row.reject_code,
        reject_reason=row.reject_reason,
    )


def detail(session: Session, inspection_id: int) -> Detail:
    """Everything about one inspection.

    Raises:
        NotFound: there is no such inspection.
    """
    row = session.get(Inspection, inspection_id)
    if row is None:
        raise NotFound(f"There is no inspection {inspection_id}.", "Open it from the queue instead.")
    category = session.get(Category, row.category_id) if row.category_id else None
    model = session.get(ModelVersion, row.model_version_id) if row.model_version_id else None
    image = session.get(Image, row.image_id) if row.image_id else None
    batch = session.get(Batch, row.batch_id)
    card = _card(row, category)
    return Detail(
        card=card,
        sentence=verdict_sentence(row),
        p_value_words=p_value_words(row),
        score=row.score,
        threshold=row.threshold,
        alpha=row.alpha,
        width=image.width if image else 0,
        height=image.height if image else 0,
        regions=list(row.regions),
        has_map=bool(row.map_path),
        given_category=row.given_category,
        routed_category=row.routed_category,
        routed_similarity=row.routed_similarity,
        route_mismatch=row.route_mismatch,
        model=f"{card.category} v{model.version}" if model else "",
        recipe=model.recipe if model else "",
        timings_ms=dict(row.timings_ms),
        batch_key=batch.key if batch else "",
        batch_title=wording.batch_title(batch.kind, batch.day) if batch else "",
        created_at=row.created_at,
        history=history(session, inspection_id),
    )


def history(session: Session, inspection_id: int) -> list[ReviewView]:
    """Reviews of one inspection, newest first."""
    rows = session.exec(
        select(Review).where(Review.inspection_id == inspection_id).order_by(col(Review.version).desc())
    ).all()
    return [
        ReviewView(
            row.version, row.kind, row.decision, row.defect_type, row.note, row.reviewer, row.created_at
        )
        for row in rows
    ]


def p_value_words(row: Inspection) -> str:
    """What the p-value means for a reviewer; empty without one."""
    if row.p_value is None:
        return ""
    return p_value_in_words(row.p_value, row.calibration_groups or 0)


def verdict_sentence(row: Inspection) -> str:
    """One sentence that says the verdict and what it rests on."""
    if row.verdict == Verdict.REJECTED:
        return row.reject_reason or "This file could not be inspected."
    if row.verdict == Verdict.UNKNOWN_CATEGORY:
        return "This does not look like any product the models know, so it was not scored."
    word = wording.verdict_label(row.verdict).word
    return f"{word}: {p_value_words(row)}." if row.p_value is not None else f"{word}."
