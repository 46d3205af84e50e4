"""One round on the screen: ready, ten pictures with their reveals, the summary."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from nicegui import events, ui

from anomalyos.accounts.tables import Role
from anomalyos.arena import rules
from anomalyos.arena.rules import Call
from anomalyos.core.errors import NotFound
from console.components.visitor import OneAtATime
from console.container import Services
from console.pages.arena import reveal, summary
from console.security.person import Person
from console.services.arena import QUESTION, READY, REVEAL, SUMMARY, Play, is_daily
from console.services.blocking import run_blocking
from console.ui import kit
from console.ui.kit import Text, box
from console.ui.theme import Frame

_CHECK_EVERY = 0.25


class RoundView:
    """Draws the stages of one round; arena.js moves the mark and sends ``call`` events."""

    def __init__(self, services: Services, shell: Frame, token: str) -> None:
        self._services = services
        self._arena = services.arena
        self._shell = shell
        self._token = token
        self._play: Play | None = None
        self._drawn = ""
        self._once = OneAtATime(services, shell, Role.VIEWER)
        self._root = box("aos-arena-play").mark("arena-play")
        self._root.on("call", self._called, ["detail"])
        with self._root:
            self._head = box("aos-head aos-arena-head")
            self._clock = box("aos-arena-clock")
            self._stage = box("aos-arena-stage")
            self._foot = box("aos-arena-foot")
            self._timer = box()

    async def show(self, play: Play) -> None:
        """Bring the page to where the round stands."""
        self._play = play
        self._root.props["data-state"] = play.stage
        self._root.props["data-call"] = play.call.token if play.call else ""
        self._root.props["data-limit"] = str(round(1000 * rules.SECONDS))
        self._root.props["data-left"] = str(round(1000 * play.seconds_left))
        for part in (self._clock, self._foot, self._timer):
            part.clear()
        if play.stage == SUMMARY:
            await self._show_summary(play)
            return
        reveal.draw_scoreline(self._head, play)
        if play.stage == READY:
            self._show_ready(play)
            return
        self._show_picture(play)
        if play.stage == QUESTION:
            self._show_question(play)
        else:
            with self._photo:
                reveal.draw_overlays(play)
            with self._clock:
                reveal.draw_legend(play)
            with self._foot:
                reveal.draw_foot(play, self.go_on)

    # stages ----------------------------------------------------------------------------------

    def _show_ready(self, play: Play) -> None:
        with self._stage:
            kit.empty_state(
                "event" if is_daily(play.round) else "swords",
                "Today's challenge" if is_daily(play.round) else "Ready",
                f"{len(play.calls)} pictures, {rules.SECONDS:.0f} seconds each. Call each one normal or"
                " defect, and point at the defect. The AI has already made its calls.",
                actions=self._draw_start,
            )

    def _draw_start(self) -> None:
        reveal.draw_next("Start", self.go_on).mark("arena-start")
        kit.link("Back", "/arena", "aos-button quiet")

    def _show_picture(self, play: Play) -> None:
        """The photograph stays where it is when the answer is laid over it."""
        call, material = play.call, play.material
        assert call is not None
        assert material is not None
        if self._drawn == call.token:
            return
        self._drawn = call.token
        with (
            kit.redrawn(self._stage),
            box("aos-arena-fit"),
            box("aos-arena-photo").style(f"--ratio: {material.width / material.height:.5f}") as photo,
        ):
            kit.image(
                f"/arena/picture/{call.token}",
                f"Picture {call.place + 1} of {len(play.calls)}",
                "photo",
                draggable="false",
            )
            with box("aos-arena-mark").props("aria-hidden=true hidden data-arena=mark"):
                box("ring")
        self._photo = photo

    def _show_question(self, play: Play) -> None:
        with self._clock:
            with box("aos-arena-track"):
                box("aos-arena-fill").props("data-arena=fill")
            with box("aos-arena-seconds").props("role=timer"):
                Text(f"{play.seconds_left:.0f}", "b").props("data-arena=seconds")
                Text("s left")
        with self._foot:
            with box("aos-arena-choices").props("role=group aria-label='Your call'"):
                _choice("Normal", "task_alt", "normal", ("N", "F"))
                _choice("Defect", "dangerous", "defect", ("D",))
            with box("aos-arena-hint").props("role=status"):
                Text("Point at the defect first or after; arrow keys move a mark.").props("data-arena=hint")
        with self._timer:
            ui.timer(play.seconds_left + rules.GRACE + _CHECK_EVERY, self._close, once=True)

    async def _show_summary(self, play: Play) -> None:
        self._head.clear()
        self._stage.clear()
        self._drawn = ""
        if play.round.day is not None:
            standings = await run_blocking(self._arena.day_standings, play.round.day)
        else:
            standings = await run_blocking(self._arena.all_time_standings)
        with self._stage:
            summary.draw_summary(play, standings, self._shell.person, self._services, self._shell)

    # events ----------------------------------------------------------------------------------

    async def go_on(self) -> None:
        """The next picture, or the summary after the last."""
        if self._play is not None and self._play.stage in (READY, REVEAL):
            await self._act(lambda person: self._arena.next(person, self._token))

    async def _called(self, event: events.GenericEventArguments) -> None:
        said, mark, token = _detail(event.args)
        play = self._play
        # an answer that travelled while the page went on belongs to no picture that is on show
        if said is None or play is None or play.stage != QUESTION or play.call is None:
            return
        if play.call.token == token:
            await self._act(lambda person: self._arena.answer(person, self._token, token, said, mark))

    async def _close(self) -> None:
        """The time is over: whatever the browser does, the server ends the call."""
        if self._play is not None and self._play.stage == QUESTION:
            await self._act(lambda person: self._arena.state(person, self._token))

    async def _act(self, action: Callable[[Person], Play]) -> None:
        async def act(person: Person) -> None:
            try:
                play = await run_blocking(action, person)
            except NotFound as error:
                self._shell.toast(str(error), icon_name="error")
                return
            await self.show(play)

        await self._once(act)


def _choice(word: str, icon_name: str, tone: str, keys: tuple[str, ...]) -> None:
    with kit.press(f"aos-choice aos-arena-choice tone-{tone}", data_arena=word.lower()) as button:
        kit.icon(icon_name)
        Text(word, classes="word")
        for letter in keys:
            kit.key(letter)
    button.mark(f"arena-{word.lower()}")


def _detail(args: Any) -> tuple[Call | None, tuple[float, float] | None, str]:
    """What a browser sent, or (None, None, "") for anything that makes no sense."""
    detail = args.get("detail") if isinstance(args, dict) else None
    if not isinstance(detail, dict) or detail.get("said") not in (Call.NORMAL, Call.DEFECT):
        return None, None, ""
    x, y = _share(detail.get("x")), _share(detail.get("y"))
    mark = (x, y) if x is not None and y is not None else None
    return Call(detail["said"]), mark, str(detail.get("call", ""))


def _share(value: Any) -> float | None:
    """``value`` as a share of the picture, None when it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value) if 0 <= value <= 1 else None
