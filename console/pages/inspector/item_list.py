"""The queue as a list beside the photo and as a strip of small pictures under it."""

from __future__ import annotations

from nicegui import ui

from console.pages.inspector.filter_bar import FilterBar
from console.pages.inspector.queue_state import OpenQueue
from console.services.views import Card
from console.texts import wording
from console.ui import kit
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


class ItemList:
    """Draws the state of an ``OpenQueue`` and passes clicks on to it."""

    def __init__(self, view: OpenQueue) -> None:
        self._view = view
        self._items: list[tuple[Card, ui.element, Text]] = []
        with box("aos-list", "section").props("aria-label='Items of the queue'"):
            self.filters = FilterBar(view.state.wanted, view.filter)
            self._rows = box("aos-items")
            self._pager = box("aos-pager")

    def draw(self) -> None:
        state = self._view.state
        self._rows.clear()
        self._items = []
        with self._rows:
            for index, card in enumerate(state.cards):
                self._items.append(self._item(index, card))
            if not state.cards:
                Text("Nothing in this list", "div", "aos-list-empty")
        self.mark()
        self._pager.clear()
        self._pager.set_visibility(state.has_earlier or state.has_later)
        with self._pager:
            Text(state.range_text)
            with box("aos-pager-buttons"):
                if state.has_earlier:
                    self._turner("chevron_left", "Earlier", -1)
                if state.has_later:
                    self._turner("chevron_right", "Later", 1)

    def mark(self) -> None:
        """Which item is shown, and who else looks at which."""
        for index, (card, element, below) in enumerate(self._items):
            kit.set_on(element, index == self._view.state.index, "selected", "aria-current")
            holder = self._view.lease.others.get(card.id, "")
            element.classes(**({"add": "held"} if holder else {"remove": "held"}))
            below.set_text(f"{holder} is looking at this" if holder else card.odds or card.source)

    def _turner(self, icon_name: str, tip: str, by: int) -> None:
        button = kit.button(
            "", lambda: self._view.turn(by), icon_name=icon_name, classes="small quiet", tip=tip
        )
        button.mark(tip.lower())

    def _item(self, index: int, card: Card) -> tuple[Card, ui.element, Text]:
        decided = " decided" if card.decision else ""
        with kit.press(f"aos-item{decided}", lambda: self._view.go(index)).mark(f"item-{card.id}") as element:
            thumbnail(card)
            with box().style("min-width: 0"):
                Text(wording.product(card.category), "div", "aos-item-name")
                below = Text("", "div", "aos-item-sub")
                made_mark(card)
            mark = (
                wording.decision_label(card.decision)
                if card.decision
                else wording.verdict_label(card.verdict)
            )
            with box(f"aos-item-mark tone-{mark.tone}"):
                kit.icon(mark.icon)
                Text(mark.word, classes="aos-unseen")
                ui.tooltip(mark.word)
        return card, element, below


def thumbnail(card: Card) -> None:
    kit.thumbnail(f"/media/thumb/{card.id}" if card.has_image else "", loading="lazy")


def made_mark(card: Card) -> None:
    """The mark that generated sample data carries everywhere."""
    if card.synthetic:
        Text("synthetic", "div", "aos-made")
