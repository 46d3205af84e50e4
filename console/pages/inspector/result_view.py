"""One inspection, big: photo, verdict, decision, facts. The queue, Live and links all show this."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence

from nicegui import ui

from anomalyos.accounts.tables import Role
from anomalyos.inspection.tables import Decision, Verdict
from console.components.explanation.why import draw_why
from console.pages.inspector import result_parts
from console.pages.inspector.reviewing import Reviewing
from console.pages.inspector.what_if import draw_what_if
from console.security.person import Person
from console.services.views import Detail
from console.texts import wording
from console.ui import kit
from console.ui.kit import Text, box
from console.ui.theme import Frame

Pick = Callable[[str], Awaitable[None]]


def draw_picker_button(*, tip: str, disabled: bool) -> None:
    """What opens the picker, attached to the button that says defect."""
    button = kit.button(
        "",
        icon_name="expand_less",
        shortcut="T",
        classes="aos-pick",
        tip=tip,
        disabled=disabled,
        act="pick",
        aria_haspopup="dialog",
        aria_expanded="false",
    )
    button.mark("pick")


def draw_picker(names: Sequence[str], pick: Pick) -> None:
    """The choices; choosing one is the decision. ``pick`` gets the name, empty for none."""
    with box("aos-picker", role="dialog", aria_label="Type of defect"):
        Text("Defect of type", "div", "aos-picker-title")
        with box("aos-picker-list"):
            _draw_type("", "No type", pick)
            for name in names:
                _draw_type(name, readable(name), pick)
        if not names:
            Text(
                "No types are known for this product yet. Write one beside the photo.",
                "p",
                "aos-muted aos-small",
            )
        with box("aos-picker-hint"):
            Text("First letter")
            kit.key("Enter")
            Text("decides")
            kit.key("Esc")
            Text("closes")


def readable(name: str) -> str:
    return name.replace("_", " ").replace("-", " ").strip()


def _draw_type(name: str, text: str, pick: Pick) -> None:
    with kit.press(
        "aos-picker-choice", lambda: pick(name), data_letter=text[:1].lower() if name else ""
    ) as choice:
        if name:
            Text(text[:1], "b")
            Text(text[1:])
        else:
            Text(text)
    choice.mark(f"type-{name or 'none'}")


_CHOICES = ((Decision.DEFECT, "D"), (Decision.FALSE_ALARM, "F"), (Decision.UNSURE, "U"))


class ResultView:
    """Draws details into ``parent``, one at a time.

    Args:
        address: start of the links people copy, without trailing slash.
        step: moves through a list by +1 or -1; None where there is no list, or where ``strip`` does that.
        strip: draws the neighbours of what is shown, under the photo.
    """

    def __init__(
        self,
        parent: ui.element,
        frame: Frame,
        reviewing: Reviewing,
        address: str,
        step: Callable[[int], Awaitable[None]] | None = None,
        strip: Callable[[], None] | None = None,
    ) -> None:
        self._parent = parent
        self._frame = frame
        self._reviewing = reviewing
        self._address = address
        self._step = step
        self._strip = strip
        self._defect_types: list[str] = []
        self._strip_place: ui.element | None = None
        self._decisions: ui.element | None = None
        self.shown: Detail | None = None
        self._defect: ui.input | None = None
        self._note: ui.textarea | None = None

    def show(self, detail: Detail, defect_types: list[str], position: str = "", held_by: str = "") -> None:
        """Replace what is shown.

        Args:
            position: where in a list it stands (``3 of 23``).
            held_by: who else is looking at it, which turns the decisions off.
        """
        self.shown = detail
        self._defect_types = defect_types
        with kit.redrawn(self._parent), box("aos-result"):
            with box("aos-center"):
                result_parts.draw_tools(detail, self._step, position)
                result_parts.draw_stage(detail)
                self._strip_place = box("aos-strip-place") if self._strip else None
                self._decisions = box("aos-decisions")
            self.others_moved(held_by)
            with box("aos-panel", "aside"):
                result_parts.draw_verdict(detail, self._copy_link)
                if detail.card.verdict != Verdict.REJECTED:
                    self._draw_notes()
                    draw_why(self._reviewing.services, self._frame, detail)
                    draw_what_if(self._reviewing.services, self._frame, detail)
                result_parts.draw_history(detail.history)
                result_parts.draw_facts(detail)

    def others_moved(self, held_by: str | None) -> None:
        """Redraw what depends on others, and nothing somebody may be typing into.

        Args:
            held_by: who else is looking at what is shown; None when that has not changed.
        """
        if self._strip_place is not None and self._strip is not None:
            with kit.redrawn(self._strip_place):
                self._strip()
        if held_by is None or self._decisions is None or self.shown is None:
            return
        self._decisions.clear()
        if self.shown.card.verdict != Verdict.REJECTED:
            with self._decisions:
                self._draw_decisions(self.shown, held_by)

    def clear(self) -> None:
        self.shown = None
        self._defect = self._note = None
        self._strip_place = self._decisions = None
        self._parent.clear()

    async def decide(self, decision: Decision, defect_type: str | None = None) -> None:
        """Keep a decision about what is shown.

        Args:
            defect_type: as picked; None takes what is written in the field, which counts for defects only.
        """
        if self.shown is None:
            return
        if defect_type is None:
            written = self._defect is not None and decision is Decision.DEFECT
            defect_type = str(self._defect.value or "") if written and self._defect else ""
        note = str(self._note.value or "") if self._note else ""
        await self._reviewing.decide(self.shown, decision, defect_type=defect_type, note=note)

    async def _pick(self, defect_type: str) -> None:
        await self.decide(Decision.DEFECT, defect_type)

    async def undo(self) -> None:
        await self._reviewing.undo(self.shown)

    def _draw_decisions(self, detail: Detail, held_by: str) -> None:
        allowed = self._frame.person.may(Role.REVIEWER)
        tip = "" if allowed else _viewer_tip(self._frame.person)
        if held_by:
            tip = tip or f"{held_by} is looking at this"
            kit.notice(
                f"{held_by} is looking at this. You can look too; deciding waits until it is free.",
                "unsure",
                "visibility",
            ).mark("held")
        with box("aos-decide").props("role=group aria-label=Decision"):
            for decision, letter in _CHOICES:
                self._draw_choice(decision, letter, detail.card.decision == decision, tip)
                if decision is Decision.DEFECT:
                    draw_picker_button(tip=tip or "Defect of a type", disabled=bool(tip))
            if not tip:
                draw_picker(self._defect_types, self._pick)
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
        with kit.press(
            f"aos-choice tone-{label.tone}" + (" chosen" if chosen else ""),
            lambda: self.decide(decision),
            data_key=letter.lower(),
            aria_pressed="true" if chosen else "false",
        ) as button:
            if tip:
                button.props["aria-disabled"] = "true"
                ui.tooltip(tip)
            kit.icon(label.icon)
            Text(label.word, classes="word")
            kit.key(letter)
        button.mark(f"decide-{decision.value}")

    def _draw_notes(self) -> None:
        if not self._frame.person.may(Role.REVIEWER):
            kit.notice(_viewer_tip(self._frame.person), "accent", "visibility")
            return
        with box("aos-section"):
            with box("aos-section-head"):
                Text("Kept with your decision", "h3")
                kit.button("Note", shortcut="N", classes="small quiet", act="note")
            self._note = ui.textarea(placeholder="Note (Esc leaves the field)").props(
                "outlined dense autogrow maxlength=2000 aria-label=Note"
            )
            self._note.classes("full-width aos-note").mark("note")
            self._defect = ui.input(placeholder="Type of defect, if not in the list at T").props(
                "outlined dense maxlength=64 aria-label='Type of defect'"
            )
            self._defect.classes("full-width").mark("defect-type")

    async def _copy_link(self) -> None:
        if self.shown is None:
            return
        link = f"{self._address}/inspection/{self.shown.card.id}"
        done = await self._frame.client.run_javascript(f"return aos.copy({json.dumps(link)})", timeout=3)
        self._frame.toast("Link copied." if done else link, icon_name="link")


def _viewer_tip(person: Person) -> str:
    return f"You are signed in as {person.role.value}. Deciding needs the role reviewer."
