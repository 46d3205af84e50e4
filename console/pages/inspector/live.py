"""Inspecting images now: bring them in, watch the stages, decide like in the queue."""

from __future__ import annotations

from nicegui import ui

from anomalyos.accounts.tables import Role
from console.components.night_head import LIVE, Head
from console.components.visitor import Visitor, reauthorize
from console.container import Services
from console.pages.inspector.live_intake import Intake
from console.pages.inspector.live_progress import Progress
from console.pages.inspector.live_results import LiveResults
from console.pages.inspector.result_view import ResultView
from console.pages.inspector.reviewing import Reviewing
from console.services.blocking import run_blocking
from console.services.live_line import LiveLine
from console.ui import kit
from console.ui.kit import box
from console.ui.theme import Frame, frame

_TICK_S = 0.12


async def live(services: Services, visitor: Visitor) -> None:
    categories = await run_blocking(services.inspections.categories)
    with frame("Live", visitor.person, mode="/", open_items=visitor.open_items) as shell:
        await Head(services, LIVE).show(None)
        view = LiveView(services, shell, services.live_lines.of(visitor.person), categories)
        await view.results.load()


class LiveView:
    """What comes in and what came of it at the left, the chosen result at the right."""

    def __init__(self, services: Services, shell: Frame, line: LiveLine, categories: list[str]) -> None:
        self._services = services
        self._shell = shell
        self._line = line
        self._shown_round = line.round
        # what finishes from here on is added to the list, which is read a moment later
        self._seen = line.finished_count
        with box("aos-review aos-live"):
            with box("aos-list", "section").props("aria-label='Live inspection'"):
                intake = Intake(services, shell, line, categories)
                self._progress = Progress(services, shell, line, intake)
                self.results = LiveResults(services, self.choose)
            self._right = box("aos-live-right")
        reviewing = Reviewing(services, shell, decided=self._reload, reload=self._reload)
        address = services.settings.console_url.rstrip("/")
        self._result = ResultView(self._right, shell, reviewing, address, self.step)
        with self._right:
            self._draw_invitation(bool(categories))
        self._progress.tick()
        ui.timer(_TICK_S, self._tick)

    def _draw_invitation(self, models: bool) -> None:
        if not models:
            kit.empty_state(
                "model_training",
                "No product has a model yet",
                "Build one first: anomalyos rebuild CATEGORY. Then come back to this page.",
            )
        elif not self._shell.person.may(Role.REVIEWER):
            kit.empty_state(
                "lock",
                "Looking only",
                "Today's results are in the list. Inspecting images needs the role reviewer; "
                "an administrator can give it.",
            )
        else:
            kit.empty_state(
                "photo_camera",
                "Show it a part",
                "Drop photos anywhere on this page, paste one, or take a picture. "
                "The product is recognised by itself, and many photos at once are fine.",
            )

    async def choose(self, inspection_id: int) -> None:
        """Show one result."""
        if await reauthorize(self._services, self._shell, Role.VIEWER):
            self.results.select(inspection_id)
            await self._show(inspection_id)

    async def step(self, by: int) -> None:
        target = await self.results.neighbour(by)
        if target is not None:
            await self.choose(target)

    async def _reload(self, inspection_id: int) -> None:
        await self._show(inspection_id)

    async def _show(self, inspection_id: int) -> None:
        detail = await run_blocking(self._services.inspections.detail, inspection_id)
        defects = await run_blocking(self._services.inspections.defect_types, detail.card.category)
        if not self._shell.client.is_deleted:
            self.results.update(detail.card)
            self._result.show(detail, defects)

    async def _tick(self) -> None:
        self._progress.tick()
        line = self._line
        new = line.finished_count - self._seen
        if not new:
            return
        self._seen = line.finished_count
        jobs = list(line.finished)[-new:]
        for job in jobs:
            if job.card is not None:
                self.results.add(job.card)
        first = jobs[0].card
        if self._shown_round is not line.round and first is not None:
            # the first of what has just been brought in; the others wait in the list
            self._shown_round = line.round
            await self.choose(first.id)
