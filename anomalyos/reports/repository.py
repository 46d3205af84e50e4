"""Reports as they were written, with everything they were written from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlmodel import Session, col, select

from anomalyos.db.rows import by_id, storable
from anomalyos.inspection import inspections
from anomalyos.reports.tables import Report
from anomalyos.reports.writer import WrittenReport

if TYPE_CHECKING:
    from pydantic import BaseModel


def keep(session: Session, inspection_id: int, written: WrittenReport, actor: str) -> Report:
    """Add a report; earlier ones of the same inspection stay.

    Raises:
        NotFound: no such inspection.
    """
    inspections.get(session, inspection_id)
    row = Report(
        inspection_id=inspection_id,
        writer=written.writer,
        fallback_reason=storable(written.fallback_reason),
        model=storable(written.model),
        prompt_sha256=written.prompt_sha256,
        inputs=_storable_json(written.inputs),
        content=_storable_json(written.content),
        unsupported=written.unsupported,
        prompt_tokens=written.prompt_tokens,
        completion_tokens=written.completion_tokens,
        cost_usd=written.cost_usd,
        duration_ms=written.duration_ms,
        actor=actor,
    )
    session.add(row)
    session.flush()
    return row


def get(session: Session, report_id: int) -> Report:
    """Raises ``NotFound`` when there is no such report."""
    return by_id(session, Report, report_id, "report", "List the reports of its inspection.")


def latest(session: Session, inspection_id: int) -> Report | None:
    """The newest report of an inspection, None when none was written."""
    return next(iter(list_reports(session, inspection_id, limit=1)), None)


def list_reports(session: Session, inspection_id: int, limit: int = 50) -> list[Report]:
    """Newest first."""
    query = select(Report).where(Report.inspection_id == inspection_id).order_by(col(Report.id).desc())
    return list(session.exec(query.limit(limit)).all())


def restore(row: Report) -> WrittenReport:
    """A stored report in the form it was written in: what an export starts from."""
    fields = row.model_dump(exclude={"id", "inspection_id", "actor", "created_at"})
    return WrittenReport.model_validate(fields)


def _storable_json(model: BaseModel) -> dict[str, Any]:
    """JSON with every character that PostgreSQL's refuses written as an escape.

    A lone surrogate survives in Python strings and in ASCII JSON, and NUL in SQLite: neither does there.
    """
    found: dict[str, Any] = json.loads(json.dumps(_clean(model.model_dump(mode="python"))))
    return found


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value
