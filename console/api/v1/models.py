"""Bodies of the REST interface."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from console.services import views


class Links(BaseModel):
    page: str
    image: str
    thumb: str
    heatmap: str | None


class ReviewOut(BaseModel):
    version: int
    kind: str
    decision: str
    defect_type: str
    note: str
    reviewer: str
    created_at: datetime


class InspectionOut(BaseModel):
    """One inspection. Region coordinates are pixels of the upright image."""

    id: int
    batch: str
    source: str
    verdict: str
    verdict_in_words: str
    score: float | None
    threshold: float | None
    alpha: float | None
    p_value: float | None
    p_value_in_words: str
    regions: list[dict[str, Any]]
    category: str
    synthetic: bool
    given_category: str | None
    routed_category: str | None
    routed_similarity: float | None
    route_mismatch: bool
    model_version: str
    timings_ms: dict[str, float]
    width: int
    height: int
    decision: str | None
    review_version: int
    reviews: list[ReviewOut]
    created_at: datetime
    links: Links


class ReviewIn(BaseModel):
    """A decision about the inspection as it was at ``expected_version``."""

    decision: Literal["defect", "false_alarm", "unsure"]
    expected_version: int = Field(ge=0, description="`review_version` of the inspection you looked at")
    defect_type: str = Field("", max_length=64)
    note: str = Field("", max_length=2000)


class RetrainStarted(BaseModel):
    run_id: str
    links: dict[str, str]


class RetrainStep(BaseModel):
    name: str
    state: str


class RetrainRun(BaseModel):
    """A run as it is now; ask again until ``state`` is ``done`` or ``failed``."""

    run_id: str
    state: Literal["waiting", "running", "done", "failed"]
    started: datetime | None
    ended: datetime | None
    outcome: list[str] = Field(description="One line for each product, when the run has ended")
    steps: list[RetrainStep]


class Problem(BaseModel):
    """Why a request was not done. ``code`` is stable, ``detail`` and ``hint`` are for people."""

    code: str
    detail: str
    hint: str = ""


class Rejection(Problem):
    """An image that could not be inspected; it is on record as ``inspection_id``."""

    inspection_id: int


class ReviewConflict(Problem):
    """Somebody decided in between: ``current`` is what holds now."""

    current: InspectionOut


class Health(BaseModel):
    status: Literal["ok", "failing"]
    database: str
    models: str = Field(description="`loading`, `ready`, `none` or the reason they could not be loaded")
    categories: list[str]
    versions: dict[str, str]


def inspection_out(detail: views.Detail, base_url: str) -> InspectionOut:
    """The REST form of a ``Detail``; links are absolute, under ``base_url`` without trailing slash."""
    card = detail.card
    return InspectionOut(
        id=card.id,
        batch=detail.batch_key,
        source=card.source,
        verdict=card.verdict,
        verdict_in_words=detail.sentence,
        score=detail.score,
        threshold=detail.threshold,
        alpha=detail.alpha,
        p_value=card.p_value,
        p_value_in_words=detail.p_value_words,
        regions=detail.regions,
        category=card.category,
        synthetic=card.synthetic,
        given_category=detail.given_category,
        routed_category=detail.routed_category,
        routed_similarity=detail.routed_similarity,
        route_mismatch=detail.route_mismatch,
        model_version=detail.model,
        timings_ms=detail.timings_ms,
        width=detail.width,
        height=detail.height,
        decision=card.decision,
        review_version=card.review_version,
        reviews=[
            ReviewOut(
                version=review.version,
                kind=review.kind,
                decision=review.decision,
                defect_type=review.defect_type,
                note=review.note,
                reviewer=review.reviewer,
                created_at=review.when,
            )
            for review in detail.history
        ],
        created_at=detail.created_at,
        links=Links(
            page=f"{base_url}/inspection/{card.id}",
            image=f"{base_url}/media/image/{card.id}",
            thumb=f"{base_url}/media/thumb/{card.id}",
            heatmap=f"{base_url}/media/heatmap/{card.id}" if detail.has_map else None,
        ),
    )
