"""One inspection, big: photo, verdict, decision, facts. The queue, Live and links all show this."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

from nicegui import ui

from anomalyos.store.tables import Decision, Role, Verdict
from console import kit, wording
from console.auth import Person
from console.kit import Text, box
from console.pages.inspector import panel, stage
from console.pages.inspector.reviewing import Reviewing
from console.theme import Frame
from console.views import Detail

_CHOICES = ((Decision.DEFECT, "D"), (Decision.FALSE_ALARM, "F"), (Decision.UNSURE, "U"))


class ResultView:
    """Draws details into ``parent``, one at a time.

    Args:
        address: start of the links people copy, without trailing slash.
        step: moves through a list by +1 or -1; None where there is no list.
    """

    def __init__(
        self,
        parent: ui.element,
        frame: Frame,
        reviewing: Reviewing,
        address: str,
        step: Callable[[int], Awaitable[None]] | None = None,
    ) -> None:
        self._parent = parent
        self._frame = frame
        self._reviewing = reviewing
        self._address = address
        self._step = step
        self.shown: Detail | None = None
        self._defect: ui.input | None = None
        self._note: ui.textarea | None = None

    def show(self, detail: Detail, defect_types: list[str], position: str = "") -> None:
        """Replace what is shown; ``position`` says where in a list it stands (``3 of 23``)."""
        self.shown = detail
        self._parent.clear()
        with self._parent, box("aos-result"):
            with box("aos-center"):
                stage.draw_tools(detail, self._step, position)
                stage.draw_stage(detail)
                if detail.card.verdict != Verdict.REJECTED:
                    self._draw_decisions(detail)
            with box("aos-panel", "aside"):
                panel.draw_verdict(detail, self._copy_link)
                if detail.card.verdict != Verdict.REJECTED:
                    self._draw_notes(defect_types)
                panel.draw_history(detail.history)
                panel.draw_facts(detail)

    def clear(self) -> None:
        self.shown = None
        self._defect = self._note = None
        self._parent.clear()

    async def decide(self, decision: Decision) -> None:
        if self.shown is not None:
            await self._reviewing.decide(
                self.shown,
                decision,
                defect_type=str(self._defect.value or "") if self._defect else "",
                note=str(self._note.value or "") if self._note else "",
            )

    async def undo(self) -> None:
        await self._reviewing.undo(self.shown)

    def _draw_decisions(self, detail: Detail) -> None:
        allowed = self._frame.person.may(Role.REVIEWER)
        tip = "" if allowed else _viewer_tip(self._frame.person)
        with box("aos-decide").props("role=group aria-label=Decision"):
            for decision, letter in _CHOICES:
                self._draw_choice(decision, letter, detail.card.decision == decision, tip)
            kit.button(
                "",
                self.undo,
                icon_name="undo",
                shortcut="Z",
                classes="quiet small",
                disabled=not allowed,
                tip=tip or "Take back the last decision",
            ).mark("undo")

    def _draw_choice(self, decision: Decision, letter: str, chosen: bool, tip: str) -> None:
        label = wording.decision_label(decision)
        with box(f"aos-choice tone-{label.tone}" + (" chosen" if chosen else ""), "button") as button:
            button.props("type=button")
            button.props["data-key"] = letter.lower()
            button.props["aria-pressed"] = "true" if chosen else "false"
            if tip:
                button.props["aria-disabled"] = "true"
                ui.tooltip(tip)
            kit.icon(label.icon)
            Text(label.word, classes="word")
            kit.key(letter)
        button.on("click", lambda: self.decide(decision), [])
        button.mark(f"decide-{decision.value}")

    def _draw_notes(self, defect_types: list[str]) -> None:
        if not self._frame.person.may(Role.REVIEWER):
            kit.notice(_viewer_tip(self._frame.person), "accent", "visibility")
            return
        with box("aos-section"):
            Text("Kept with your decision", "h3")
            self._defect = ui.input(placeholder="Type of defect").props(
                "outlined dense maxlength=64 aria-label='Type of defect'"
            )
            self._defect.classes("full-width").mark("defect-type")
            if defect_types:
                with box("aos-chips"):
                    for name in defect_types:
                        self._draw_chip(name)
            self._note = ui.textarea(placeholder="Note (Esc leaves the field)").props(
                "outlined dense autogrow maxlength=2000 aria-label=Note"
            )
            self._note.classes("full-width").mark("note")

    def _draw_chip(self, name: str) -> None:
        field = self._defect
        assert field is not None
        with box("aos-chip", "button").props("type=button") as chip:
            Text(name.replace("_", " "))
        chip.on("click", lambda: field.set_value(name), [])

    async def _copy_link(self) -> None:
        if self.shown is None:
            return
        link = f"{self._address}/inspection/{self.shown.card.id}"
        done = await self._frame.client.run_javascript(f"return aos.copy({json.dumps(link)})", timeout=3)
        self._frame.toast("Link copied." if done else link, icon_name="link")


def _viewer_tip(person: Person) -> str:
    return f"You are signed in as {person.role.value}. Deciding needs the role reviewer."
