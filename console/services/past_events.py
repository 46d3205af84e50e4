"""Everything that happened to one inspection, from every table that knows of it, as one list."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from anomalyos.accounts import audit
from anomalyos.cases import repository as case_repository
from anomalyos.explain import repository as explanations
from anomalyos.inspection import inspections, reviews
from anomalyos.inspection.tables import Inspection
from anomalyos.models.tables import ModelVersion
from anomalyos.reports import repository as reports
from anomalyos.reports.words import number
from console.texts import wording

_MOST = 200
"""Audit events of one subject: more than anybody reads, and still a page."""
_CASE_WORDS = {
    "case.add": ("library_add", "became known defect {subject}"),
    "case.remove": ("do_not_disturb_on", "{subject} was taken out of the known defects"),
    "case.restore": ("restore", "{subject} was brought back"),
    "case.annotate": ("edit_note", "the note of {subject} was changed"),
}
_METHODS = {
    "trace": "nearest normal parts",
    "gradcam_pp": "Grad-CAM++",
    "hirescam": "HiResCAM",
    "gradcam_pp_class": "the name of the defect",
    "depth": "depth",
    "shap": "SHAP",
}


@dataclass(frozen=True)
class Event:
    """One thing that happened. ``note`` is what a person wrote, to be shown as it is."""

    when: datetime
    icon: str
    tone: str
    text: str
    note: str = ""
    address: str = ""


def timeline(session: Session, inspection_id: int) -> list[Event]:
    """Newest first.

    Raises:
        NotFound: there is no such inspection.
    """
    row = inspections.get(session, inspection_id)
    events = [
        _inspected(session, row),
        *_reviews(session, inspection_id),
        *_cases(session, inspection_id),
        *_reports(session, inspection_id),
        *_explanations(session, inspection_id),
        *_audited(session, inspection_id),
    ]
    return sorted(events, key=lambda event: event.when, reverse=True)


def _inspected(session: Session, row: Inspection) -> Event:
    version = session.get(ModelVersion, row.model_version_id) if row.model_version_id else None
    label = wording.verdict_label(row.verdict)
    text = f"Inspected: {label.word.lower()}"
    if version is not None and row.score is not None and row.threshold is not None:
        text += (
            f" by model version {version.version} ({version.recipe}), score {number(row.score)} "
            f"against a threshold of {number(row.threshold)}"
        )
    return Event(row.created_at, label.icon, label.tone, text, row.reject_reason)


def _reviews(session: Session, inspection_id: int) -> Iterator[Event]:
    for review in reviews.history(session, inspection_id):
        label = wording.decision_label(review.decision)
        if review.kind == reviews.UNDO:
            back = "undecided" if review.decision == "withdrawn" else f"“{label.word}”"
            yield Event(review.created_at, "undo", "rejected", f"{review.reviewer} took it back to {back}")
            continue
        kind = f" ({review.defect_type})" if review.defect_type else ""
        text = f"{review.reviewer} decided: {label.word.lower()}{kind}"
        yield Event(review.created_at, label.icon, label.tone, text, review.note)


def _cases(session: Session, inspection_id: int) -> Iterator[Event]:
    for case in case_repository.of_inspection(session, inspection_id):
        for entry in audit.recent(session, subject=f"case:{case.id}", limit=_MOST):
            icon, words = _CASE_WORDS.get(entry.action, ("history", f"{entry.action} on {{subject}}"))
            text = words.format(subject=f"case {case.id}")
            text = f"{text[:1].upper()}{text[1:]}, by {entry.actor}"
            address = f"/knowledge/case/{case.id}"
            yield Event(entry.created_at, icon, "accent", text, str(entry.detail.get("reason", "")), address)


def _reports(session: Session, inspection_id: int) -> Iterator[Event]:
    for report in reports.list_reports(session, inspection_id):
        writer = f"by {report.model}" if report.writer == "groq" else "from the template"
        doubt = f", {wording.plural(report.unsupported, 'statement')} unsupported"
        text = f"Report written {writer} for {report.actor}{doubt if report.unsupported else ''}"
        yield Event(report.created_at, "article", "accent", text, "", f"/export/report/{report.id}.html")


def _explanations(session: Session, inspection_id: int) -> Iterator[Event]:
    for row in explanations.of_inspection(session, inspection_id):
        name = _METHODS.get(row.method, row.method)
        text = f"Explained by {name}, which took {wording.milliseconds(row.cost_ms)}"
        yield Event(row.created_at, "troubleshoot", "rejected", text)


def _audited(session: Session, inspection_id: int) -> Iterator[Event]:
    """What else the audit log knows; reviews stand above with their notes."""
    for entry in audit.recent(session, subject=f"inspection:{inspection_id}", limit=_MOST):
        if entry.action.startswith("review."):
            continue
        if entry.action == "inspection.rerun":
            yield Event(entry.created_at, "replay", "accent", _rerun(entry.actor, entry.detail))
        else:
            name = entry.action.replace(".", " ").replace("_", " ")
            yield Event(entry.created_at, "history", "rejected", f"{entry.actor}: {name}")


def _rerun(actor: str, detail: dict[str, Any]) -> str:
    verdict = wording.VERDICTS.get(str(detail.get("verdict")))
    model = f" with {detail['model']}" if detail.get("model") else ""
    result = f": {verdict.word.lower()}" if verdict is not None else ""
    return f"{actor} ran it again{model}{result}"
