"""What comes next, under the photo: the neighbours in the queue as a strip of small pictures."""

from __future__ import annotations

from nicegui import ui

from console.pages.inspector.queue_state import OpenQueue
from console.services.views import Card
from console.ui import kit, wording
from console.ui.kit import Text, box

BEHIND, AHEAD = 2, 9
"""Items before and after the one shown."""


def draw_filmstrip(view: OpenQueue) -> None:
    """The strip with the ways to move at its ends; clicking a picture goes there."""
    state = view.state

    async def earlier() -> None:
        await view.step(-1)

    async def later() -> None:
        await view.step(1)

    with box("aos-strip", "nav").props("aria-label='Next items'"):
        kit.button("", earlier, icon_name="chevron_left", shortcut="K", classes="small quiet", tip="Previous")
        with box("aos-strip-items"):
            first = max(0, state.index - BEHIND)
            for place, card in list(enumerate(state.around))[first : state.index + AHEAD + 1]:
                _draw_picture(view, place, card)
        Text(state.position_text, classes="aos-position")
        kit.button("", later, icon_name="chevron_right", shortcut="J", classes="small quiet", tip="Next")


def _draw_picture(view: OpenQueue, place: int, card: Card) -> None:
    state = view.state
    current = place == state.index
    holder = view.lease.others.get(card.id, "")
    label = wording.decision_label(card.decision) if card.decision else wording.verdict_label(card.verdict)
    words = f"{state.page.offset + place + 1} of {state.page.total}: {wording.product(card.category)}"
    with kit.press(
        "aos-frame" + (" current" if current else ""),
        lambda: view.go(place),
        aria_label=f"{words}, {label.word}" + (f", {holder} is there" if holder else ""),
        aria_current="true" if current else None,
    ):
        if card.has_image:
            kit.image(f"/media/thumb/{card.id}")
        else:
            kit.icon("broken_image")
        if holder or card.decision:
            with box(f"aos-frame-mark tone-{'unsure' if holder else label.tone}"):
                kit.icon("visibility" if holder else label.icon)
        ui.tooltip(f"{holder} is looking at this" if holder else f"{words}, {label.word.lower()}")
