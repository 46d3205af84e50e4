"""A report on the page: statements with their sources, and who wrote it. Text, never HTML."""

from __future__ import annotations

from collections.abc import Sequence

from nicegui import ui

from anomalyos.reports.content import SECTIONS, TITLES
from console.services.explanation import KeptReport
from console.ui import kit, wording
from console.ui.kit import Text, box

_LEVELS = {"low": ("Low confidence", "unsure"), "medium": ("Some confidence", "accent")}
_UNSUPPORTED = "UNSUPPORTED ("


def draw_report(report: KeptReport, *, heading: str) -> None:
    """The whole kept report; ``heading`` is the tag of its sections' titles."""
    written = report.written
    draw_origin(report)
    for section in SECTIONS:
        statements = written.content.section(section)
        if not statements:
            continue
        Text(TITLES[section], heading, "aos-report-title")
        with box("aos-statements", "ul"):
            for statement in statements:
                draw_statement(statement.text, statement.cites, statement.problems)
    level, tone = _LEVELS.get(written.content.confidence.level, ("High confidence", "normal"))
    with box(f"aos-confidence tone-{tone}"):
        kit.icon("speed")
        Text(level, "b")
        Text(written.content.confidence.why)
    with box("aos-fold", "details"):
        Text(f"Sources ({len(written.inputs.facts)})", "summary")
        with box("aos-sources", "dl"):
            for fact in written.inputs.facts:
                Text(fact.id, "dt")
                Text(fact.text, "dd")


def draw_origin(report: KeptReport) -> None:
    """Who wrote it and when; why the template did, where a model was wanted."""
    written = report.written
    by_model = written.writer == "groq"
    writer = f"{written.model}, a language model" if by_model else "the template, without a language model"
    with box("aos-report-origin").mark("report-origin"):
        kit.icon("smart_toy" if by_model else "article")
        Text(f"Written by {writer}, for {report.actor}, {wording.moment(report.created_at)}.")
    if written.fallback_reason:
        Text(written.fallback_reason, "p", "aos-muted aos-small")
    if written.unsupported:
        sentences = wording.plural(written.unsupported, "statement")
        kit.notice(
            f"{sentences} could not be traced to what was found. They are marked; do not rely on them.",
            "defect",
            "report",
        )


def draw_statement(text: str, cites: Sequence[str], problems: Sequence[str]) -> None:
    with box("aos-statement" + (" unsupported" if problems else ""), "li"):
        if problems:
            with box("mark tone-defect", "span"):
                kit.icon("report")
                Text(f"Unsupported: {'; '.join(problems)}")
        Text(text)
        if cites:
            with box("cites", "span"):
                for cite in cites:
                    Text(cite, classes="aos-cite")


class Stream:
    """Draws the pieces of a report as they come into being."""

    def __init__(self, heading: str) -> None:
        self._heading = heading
        self._shown = 0
        self._list: ui.element | None = None
        self._place = box("aos-report-stream").props("aria-live=polite")

    def show(self, pieces: Sequence[str]) -> None:
        """Add what is new in ``pieces``."""
        new, self._shown = pieces[self._shown :], len(pieces)
        with self._place:
            for piece in new:
                self._piece(piece.strip())

    def _piece(self, piece: str) -> None:
        if piece.startswith("- "):
            if self._list is None:
                self._list = box("aos-statements", "ul")
            with self._list:
                draw_statement(*parse(piece))
        elif piece.startswith("✗"):
            self._list = None
            kit.notice(piece.removeprefix("✗").strip(), "unsure", "undo")
        elif piece:
            Text(piece, self._heading, "aos-report-title")
            self._list = box("aos-statements", "ul")


def parse(line: str) -> tuple[str, list[str], list[str]]:
    """Text, sources and problems of one line as a report is written: ``- UNSUPPORTED (why): text [ids]``."""
    body, _, ids = line.removeprefix("- ").rpartition(" [")
    cites = [] if ids == "no source]" else ids.rstrip("]").split(", ")
    problems: list[str] = []
    if body.startswith(_UNSUPPORTED):
        reason, _, body = body.removeprefix(_UNSUPPORTED).partition("): ")
        problems = reason.split("; ")
    return body, cites, problems
