"""What the reviews tell about the people who wrote them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import and_, case, func
from sqlmodel import Session, col, select

from anomalyos.analytics.lines import teach
from anomalyos.analytics.statistics import Selection, conditions
from anomalyos.inspection.reviews import DECIDE, UNDO
from anomalyos.inspection.tables import Batch, Inspection, Review


@dataclass(frozen=True)
class Sitting:
    """One entry in the review history, with what a measurement of time needs."""

    reviewer: str
    when: datetime
    decides: bool
    """False for an undo."""
    selected: bool
    """Whether the inspection belongs to the selection."""


def shared_decisions(session: Session, selection: Selection, *, limit: int) -> list[dict[str, str]]:
    """For each inspection that several people decided: what each of them last said of it.

    Decisions that were taken back do not count. Only the newest ``limit`` inspections are read.
    """
    teach(session)
    shared = (
        select(Review.inspection_id)
        .join(Inspection, col(Inspection.id) == col(Review.inspection_id))
        .join(Batch, col(Batch.id) == col(Inspection.batch_id))
        .where(*conditions(selection), Review.kind == DECIDE)
        .group_by(col(Review.inspection_id))
        .having(func.count(col(Review.reviewer).distinct()) > 1)
        .order_by(col(Review.inspection_id).desc())
        .limit(limit)
        .subquery()
    )
    query = (
        select(Review.inspection_id, Review.kind, Review.decision, Review.reviewer)
        .join(shared, shared.c.inspection_id == col(Review.inspection_id))
        .order_by(col(Review.inspection_id), col(Review.version))
    )
    stacks: dict[int, list[tuple[str, str]]] = {}
    for inspection_id, kind, decision, reviewer in session.exec(query):
        stack = stacks.setdefault(inspection_id, [])
        if kind == UNDO:
            stack.pop()
        else:
            stack.append((reviewer, decision))
    return [last for last in map(dict, stacks.values()) if len(last) > 1]


def sittings(session: Session, selection: Selection, *, limit: int) -> list[Sitting]:
    """The newest ``limit`` reviews written within the selection's days (UTC), each person's in order.

    Reviews of other inspections are among them: what lies between two selected ones takes time too.
    """
    teach(session)
    begin = datetime.combine(date.fromisoformat(selection.first), time.min, UTC)
    end = datetime.combine(date.fromisoformat(selection.last), time.min, UTC) + timedelta(days=1)
    # the days are those of the writing here, not of the picture
    anytime = Selection("", "9999-12-31", selection.category, selection.line, selection.kind)
    query = (
        select(
            Review.reviewer,
            Review.created_at,
            Review.kind,
            case((and_(*conditions(anytime)), 1), else_=0),
        )
        .select_from(Review)
        .join(Inspection, col(Inspection.id) == col(Review.inspection_id))
        .join(Batch, col(Batch.id) == col(Inspection.batch_id))
        .where(col(Review.created_at) >= begin, col(Review.created_at) < end)
        .order_by(col(Review.id).desc())
        .limit(limit)
    )
    rows = [
        Sitting(reviewer, when, kind == DECIDE, bool(selected))
        for reviewer, when, kind, selected in session.exec(query)
    ]
    return sorted(rows, key=lambda row: (row.reviewer, row.when))
