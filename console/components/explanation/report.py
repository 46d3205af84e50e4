"""Writing a report from a page: begun by a click, followed as it is written, kept, taken away as a file."""

from __future__ import annotations

from collections.abc import Sequence

from nicegui import ui

from anomalyos.accounts.tables import Role
from anomalyos.core.errors import AnomalyOSError
from anomalyos.reports.content import SECTIONS, TITLES
from console.components.explanation.words import part_name
from console.components.visitor import reauthorize
from console.container import Services
from console.services.blocking import run_blocking
from console.services.explain_jobs import ReportJob
from console.services.explanation import KeptReport
from console.texts import wording
from console.ui import kit
from console.ui.kit import Text, box
from console.ui.theme import Frame

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
    kit.icon_line(
        "smart_toy" if by_model else "article",
        f"Written by {writer}, for {report.actor}, {wording.moment(report.created_at)}.",
        "aos-report-origin",
    ).mark("report-origin")
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
            kit.icon_line("report", f"Unsupported: {'; '.join(problems)}", "mark tone-defect", "span")
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


_EVERY = 0.2
"""Seconds between two looks at a report that is being written."""


class ReportView:
    """The newest report of one inspection, and the way to a new one.

    Args:
        heading: tag of the titles inside a report: one below the title above it.
    """

    def __init__(self, services: Services, frame: Frame, inspection_id: int, *, heading: str) -> None:
        self._services = services
        self._frame = frame
        self._inspection_id = inspection_id
        self._heading = heading
        self._explaining = services.explanations
        self._timer: ui.timer | None = None
        self._place = box("aos-report").mark("report")

    async def load(self) -> None:
        """Show the newest kept report, or follow the one that is being written."""
        running = self._explaining.writing(self._inspection_id)
        if running is not None:
            self._follow(running)
            return
        kept = await run_blocking(self._explaining.latest_report, self._inspection_id)
        if not self._place.is_deleted:
            self._draw(kept)

    def _draw(self, kept: KeptReport | None, error: str = "") -> None:
        with kit.redrawn(self._place):
            if error:
                kit.notice(error, "defect", "error")
            if kept is None:
                Text("No report has been written yet.", "p", "aos-muted aos-small")
            with box("aos-report-actions"):
                self._draw_actions(kept)
            if kept is not None:
                draw_report(kept, heading=self._heading)

    def _draw_actions(self, kept: KeptReport | None) -> None:
        allowed = self._frame.person.may(Role.REVIEWER)
        role = self._frame.person.role.value
        kit.button(
            "Write a report" if kept is None else "Write it anew",
            self._write,
            icon_name="edit_note",
            classes="small",
            disabled=not allowed,
            tip="" if allowed else f"You are signed in as {role}. Writing reports needs the role reviewer.",
        ).mark("write-report")
        if kept is not None:
            for kind in ("html", "pdf"):
                link = kit.link(kind.upper(), f"/export/report/{kept.report_id}.{kind}", icon_name="download")
                link.classes("small quiet").props["download"] = ""
                link.props["aria-label"] = f"Download the report as {kind.upper()}"
                link.mark(f"export-{kind}")

    async def _write(self) -> None:
        person = await reauthorize(self._services, self._frame, Role.REVIEWER)
        if person is None:
            return
        try:
            self._follow(self._explaining.write(person, self._inspection_id))
        except AnomalyOSError as error:
            self._frame.toast(str(error), icon_name="error")

    def _follow(self, job: ReportJob) -> None:
        with kit.redrawn(self._place):
            with box("aos-report-wait").props("role=status") as wait:
                ui.spinner(size="18px")
                words = Text("Beginning…")
            stream = Stream(self._heading)
            self._timer = ui.timer(_EVERY, lambda: self._tick(job, stream, words, wait))

    async def _tick(self, job: ReportJob, stream: Stream, words: Text, wait: ui.element) -> None:
        if job.text:
            words.set_text("Writing, and checking each statement against its sources…")
            stream.show(list(job.text))
        elif job.part:
            words.set_text(f"Gathering what is known: {part_name(job.part).lower()}, {job.share:.0%}")
        if not job.done or self._timer is None:
            return
        self._timer.deactivate()
        self._timer = None
        wait.set_visibility(False)
        kept = await run_blocking(self._explaining.latest_report, self._inspection_id)
        if not self._place.is_deleted:
            self._draw(kept, job.error)
