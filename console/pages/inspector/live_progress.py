"""How far one person's uploads are: the stages of those that run, how many wait, what came of all."""

from __future__ import annotations

from nicegui import ui

from anomalyos.accounts.tables import Role
from anomalyos.inspection.tables import Verdict
from console.components.visitor import reauthorize
from console.container import Services
from console.pages.inspector.live_intake import Intake
from console.services.live_job import LiveJob
from console.services.live_line import LiveLine, Round
from console.texts import wording
from console.ui import kit
from console.ui.kit import Text, box
from console.ui.theme import Frame

_NAMED = 3
"""Waiting uploads named; the others are counted."""
_FAILURES = 20


class Progress:
    """``tick`` brings it up to date; it redraws what has changed only."""

    def __init__(self, services: Services, shell: Frame, line: LiveLine, intake: Intake) -> None:
        self._services = services
        self._shell = shell
        self._line = line
        self._intake = intake
        self._drawn: object = None
        self._rows: list[_Running] = []
        # announced when all is done, not at every step
        self._place = box("aos-line").mark("line")
        self._summary = box("aos-line").props("aria-live=polite").mark("summary")

    def tick(self) -> None:
        line = self._line
        now = (
            self._intake.sending,
            len(line.waiting),
            tuple(id(job) for job in line.running),
            line.finished_count,
            line.round.failed,
            line.round.cancelled,
            len(line.failures),
            id(line.round),
        )
        if now != self._drawn:
            self._drawn = now
            self._draw()
        for row in self._rows:
            row.tick()

    def _draw(self) -> None:
        line, sending = self._line, self._intake.sending
        self._rows = []
        self._place.clear()
        self._summary.clear()
        busy = line.busy or sending > 0
        self._place.set_visibility(busy)
        done = line.round.inspected + line.round.failed + line.round.cancelled
        if busy:
            with self._place:
                self._draw_head(done, done + len(line.running) + len(line.waiting) + sending)
                self._rows = [_Running(job) for job in line.running]
                self._draw_waiting(sending)
        self._summary.set_visibility(not busy and (done > 0 or bool(line.failures)))
        if not busy and (done or line.failures):
            with self._summary:
                self._draw_summary()

    def _draw_head(self, done: int, total: int) -> None:
        with box("aos-line-head"):
            Text(f"{done:,} of {wording.plural(total, 'photo')} done", "b").mark("line-count")
            if self._line.waiting or self._intake.sending:
                tip = "The photos that wait are not inspected; what runs is finished"
                kit.button("Cancel", self._cancel, icon_name="close", classes="small quiet", tip=tip).mark(
                    "cancel-waiting"
                )
        with box("aos-progress").props("role=progressbar aria-valuemin=0 aria-label='Photos done'") as bar:
            bar.props["aria-valuemax"], bar.props["aria-valuenow"] = str(total), str(done)
            box().style(f"width: {100 * done / max(1, total):.1f}%")

    def _draw_waiting(self, sending: int) -> None:
        waiting = self._line.waiting
        if waiting:
            named = [job.name for _, job in zip(range(_NAMED), waiting, strict=False)]
            more = len(waiting) - len(named)
            words = f"{wording.plural(len(waiting), 'photo')} waiting: {', '.join(named)}"
            _note("hourglass_top", words + (f" and {more:,} more" if more else ""))
        if sending:
            _note("upload", f"{wording.plural(sending, 'photo')} on the way here")

    def _draw_summary(self) -> None:
        outcome = self._line.round
        with box("aos-line-head"):
            kit.icon("done_all" if not outcome.failed else "rule")
            done = wording.plural(outcome.inspected, "photo")
            Text(f"All done: {done} inspected", "b", "grow").mark("all-done")
            kit.button("", self._forget, icon_name="close", classes="small quiet", tip="Put away").mark(
                "forget"
            )
        if outcome.inspected:
            with box("aos-line-counts"):
                for verdict in Verdict:
                    _count(verdict, outcome.verdicts.get(verdict, 0))
        _draw_rejects(outcome)
        if outcome.repeated:
            _note(
                "content_copy",
                f"{outcome.repeated:,} had been inspected today already; nothing was done again.",
            )
        if outcome.cancelled:
            _note("cancel", f"{wording.plural(outcome.cancelled, 'photo')} cancelled, not inspected.")
        failures = list(self._line.failures)[-_FAILURES:][::-1]
        for job in failures:
            _draw_failure(job)
        if len(self._line.failures) > len(failures):
            _note(
                "error", f"And {len(self._line.failures) - len(failures):,} more that could not be inspected."
            )

    async def _cancel(self) -> None:
        if await reauthorize(self._services, self._shell, Role.REVIEWER) is None:
            return
        sending = self._intake.sending
        self._intake.stop_sending()
        dropped = self._line.cancel_waiting(sending)
        self._shell.toast(f"{wording.plural(dropped, 'photo')} cancelled.", icon_name="cancel")
        self.tick()

    async def _forget(self) -> None:
        if await reauthorize(self._services, self._shell, Role.REVIEWER) is not None:
            self._line.forget()
            self.tick()


class _Running:
    """One upload with the stages it goes through."""

    def __init__(self, job: LiveJob) -> None:
        self._job = job
        self._drawn = -1
        with box("aos-running").mark("job"):
            Text(job.name, "div", "aos-item-name")
            self._word = Text("Starting", "div", "aos-item-sub")
            with box("aos-stages").props("aria-hidden=true"):
                self._steps: list[ui.element] = [box("", "i") for _ in wording.STAGES]

    def tick(self) -> None:
        stages = list(wording.STAGES)
        place = stages.index(self._job.stage) if self._job.stage in stages else -1
        if place == self._drawn:
            return
        self._drawn = place
        self._word.set_text(f"{wording.STAGES[stages[place]]} · step {place + 1} of {len(stages)}")
        for index, step in enumerate(self._steps):
            step.classes(replace="done" if index < place else "now" if index == place else "")


def _note(icon_name: str, text: str) -> None:
    with box("aos-line-note"):
        kit.icon(icon_name)
        Text(text, classes="clamp")


def _count(verdict: Verdict, count: int) -> None:
    if count:
        label = wording.verdict_label(verdict)
        kit.icon_line(
            label.icon, f"{count:,} {label.word.lower()}", f"aos-line-count tone-{label.tone}", "span"
        )


def _draw_rejects(outcome: Round) -> None:
    for reasons in outcome.rejects.values():
        times = f"{len(reasons):,} rejected: " if len(reasons) > 1 else "Rejected: "
        _note("block", times + reasons[0])


def _draw_failure(job: LiveJob) -> None:
    with box("aos-line-note tone-defect").mark("failure"):
        kit.icon("error")
        with box():
            Text(job.name, "b")
            Text(f"{job.reason} {job.next_step}".strip(), "div")
