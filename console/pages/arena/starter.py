"""Starting a round: the AI looks at the pictures first, and the page says how far it is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from nicegui import ui

from anomalyos.accounts.tables import Role
from anomalyos.arena.tables import ArenaRound
from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.progress import Progress
from console.components.visitor import OneAtATime
from console.container import Services
from console.security.person import Person
from console.ui import kit
from console.ui.kit import Text, box
from console.ui.theme import Frame

log = logging.getLogger(__name__)

Draw = Callable[[Person, Progress], ArenaRound]
_TICK = 0.15


class Starter:
    """Draws a round on a thread of its own; ``place`` shows the progress meanwhile.

    Args:
        restore: draws ``place`` again when no round came of it.
    """

    def __init__(
        self, services: Services, shell: Frame, place: ui.element, restore: Callable[[], None]
    ) -> None:
        self._arena = services.arena
        self._shell = shell
        self._place = place
        self._restore = restore
        self._once = OneAtATime(services, shell, Role.VIEWER)
        self._done = (0, 0)

    async def free(self, category: str) -> None:
        await self._start(lambda person, report: self._arena.new_round(person, category, report))

    async def daily(self) -> None:
        await self._start(self._arena.daily_round)

    async def _start(self, draw: Draw) -> None:
        await self._once(lambda person: self._run(person, draw))

    async def _run(self, person: Person, draw: Draw) -> None:
        self._done = (0, 0)
        self._show_progress()
        loop = asyncio.get_running_loop()
        try:
            row = await loop.run_in_executor(self._arena.pool, lambda: draw(person, self._report))
        except AnomalyOSError as error:
            self._failed(str(error))
        except Exception:
            # whatever a model can do wrong: the page stays usable, and the log says what it was
            log.exception("No round could be drawn")
            self._failed("The AI could not look at the pictures. Try again, or tell an engineer.")
        else:
            with self._shell.client:
                ui.navigate.to(f"/arena/round/{row.token}")

    def _report(self, done: int, total: int) -> None:
        """Called by the drawing thread."""
        self._done = (done, total)

    def _failed(self, reason: str) -> None:
        with kit.redrawn(self._place):
            self._restore()
            kit.notice(reason, "flagged", "info").mark("arena-refusal")

    def _show_progress(self) -> None:
        with (
            kit.redrawn(self._place),
            box("aos-empty aos-arena-drawing").props("role=status").mark("arena-drawing"),
        ):
            with box("aos-empty-in"):
                with box("aos-empty-icon tone-accent"):
                    kit.icon("visibility")
                Text("The AI is looking at the pictures", "h2")
                said = Text("Choosing ten of them", "p")
                with box("aos-progress aos-arena-progress"):
                    bar = box().style("width: 4%")

            def tick() -> None:
                done, total = self._done
                if total:
                    said.set_text(f"{done} of {total} new ones")
                    bar.style(f"width: {100 * done / total:.0f}%")

            ui.timer(_TICK, tick)
