"""From an inspection to its kept report: explained, written, checked and stored in one call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from anomalyos.db.rows import stored_id
from anomalyos.explain.evidence import Evidence
from anomalyos.explain.explainer import Explainer
from anomalyos.reports import repository as reports
from anomalyos.reports.writer import OnText, WrittenReport, write_report


@dataclass(frozen=True)
class Reported:
    report_id: int
    evidence: Evidence
    written: WrittenReport


def report_inspection(
    inspection_id: int,
    explainer: Explainer,
    actor: str,
    *,
    on_text: OnText | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> Reported:
    """Explain an inspection, report on it, and keep the report with what it was written from.

    Args:
        on_text: see ``write_report``.
        progress: see ``Explainer.explain``.

    Raises:
        NotFound: when there is no such inspection.
    """
    evidence = explainer.explain(inspection_id, progress=progress)
    written = write_report(evidence, explainer.settings, on_text)
    with explainer.store.session() as session:
        report_id = stored_id(reports.keep(session, inspection_id, written, actor).id)
    return Reported(report_id, evidence, written)
