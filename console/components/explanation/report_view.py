"""Writing a report from a page: begun by a click, followed as it is written, kept, taken away as a file."""

from __future__ import annotations

from nicegui import ui

from anomalyos.accounts.tables import Role
from anomalyos.core.errors import AnomalyOSError
from console.components.explanation.report_text import Stream, draw_report
from console.components.explanation.words import part_name
from console.components.visitor import reauthorize
from console.container import Services
from console.services.blocking import run_blocking
from console.services.explain_jobs import ReportJob
from console.services.explanation import KeptReport
from console.ui import kit
from console.ui.kit import Text, box
from console.ui.theme import Frame

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
        self._place.clear()
        with self._place:
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
        self._place.clear()
        with self._place:
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
