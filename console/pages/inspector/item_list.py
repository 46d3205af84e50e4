"""The list beside the photo: thumbnails in the queue's order, filters above, pages below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nicegui import ui

from console import kit, wording
from console.kit import Text, box
from console.views import Card

if TYPE_CHECKING:
    from console.pages.inspector.queue import QueueView

_ALL = "All products"


class ItemList:
    """Draws the state of a ``QueueView`` and passes clicks on to it."""

    def __init__(self, view: QueueView) -> None:
        self._view = view
        self._items: list[ui.element] = []
        self._segments: list[tuple[bool | None, ui.element]] = []
        with box("aos-list", "section").props("aria-label='Flagged items'"):
            with box("aos-list-head"):
                with box("aos-segments").props("role=group aria-label=Filter"):
                    self._segment("To decide", False)
                    self._segment("All flagged", None)
                self._category = ui.select([_ALL], value=_ALL, on_change=self._category_chosen)
                self._category.props("outlined dense options-dense aria-label=Product").mark(
                    "category-filter"
                )
                self._category.set_visibility(False)
            self._rows = box("aos-items")
            self._pager = box("aos-pager")

    def set_categories(self, categories: list[str]) -> None:
        self._category.set_options([_ALL, *categories])
        self._category.set_visibility(len(categories) > 1)

    def set_decided(self, decided: bool | None) -> None:
        """Mark the chosen segment without loading anything."""
        for value, element in self._segments:
            element.classes(**({"add": "active"} if value is decided else {"remove": "active"}))

    def draw(self) -> None:
        state = self._view.state
        self._rows.clear()
        self._items = []
        with self._rows:
            for index, card in enumerate(state.cards):
                self._items.append(self._item(index, card))
            if not state.cards:
                Text("Nothing in this list", "div", "aos-list-empty")
        self.mark_selected()
        self._pager.clear()
        self._pager.set_visibility(state.has_earlier or state.has_later)
        with self._pager:
            Text(state.range_text)
            with box("aos-pager-buttons"):
                if state.has_earlier:
                    kit.button(
                        "",
                        lambda: self._view.turn(-1),
                        icon_name="chevron_left",
                        classes="small quiet",
                        tip="Earlier",
                    ).mark("earlier")
                if state.has_later:
                    kit.button(
                        "",
                        lambda: self._view.turn(1),
                        icon_name="chevron_right",
                        classes="small quiet",
                        tip="Later",
                    ).mark("later")

    def mark_selected(self) -> None:
        for index, element in enumerate(self._items):
            chosen = index == self._view.state.index
            element.classes(**({"add": "selected"} if chosen else {"remove": "selected"}))
            element.props["aria-current"] = "true" if chosen else "false"

    def _segment(self, text: str, decided: bool | None) -> None:
        async def choose() -> None:
            self.set_decided(decided)
            await self._view.filter(decided=decided, category=self._view.state.wanted.category)

        active = self._view_decided() is decided
        with box("aos-segment" + (" active" if active else ""), "button").props("type=button") as element:
            Text(text)
        element.on("click", choose, [])
        self._segments.append((decided, element))

    @staticmethod
    def _view_decided() -> bool | None:
        return False

    async def _category_chosen(self) -> None:
        chosen = None if self._category.value == _ALL else str(self._category.value)
        await self._view.filter(decided=self._view.state.wanted.decided, category=chosen)

    def _item(self, index: int, card: Card) -> ui.element:
        decided = " decided" if card.decision else ""
        with box(f"aos-item{decided}", "button").props("type=button").mark(f"item-{card.id}") as element:
            thumbnail(card)
            with box().style("min-width: 0"):
                Text(wording.product(card.category), "div", "aos-item-name")
                Text(card.odds or card.source, "div", "aos-item-sub")
                made_mark(card)
            mark = (
                wording.decision_label(card.decision)
                if card.decision
                else wording.verdict_label(card.verdict)
            )
            with box(f"aos-item-mark tone-{mark.tone}"):
                kit.icon(mark.icon)
                ui.tooltip(mark.word)
        element.on("click", lambda: self._view.select(index), [])
        return element


def thumbnail(card: Card) -> None:
    if not card.has_image:
        with box("aos-thumb"):
            kit.icon("broken_image")
        return
    with box("aos-thumb", "img") as image:
        image.props["src"] = f"/media/thumb/{card.id}"
        image.props["alt"] = ""
        image.props["loading"] = "lazy"


def made_mark(card: Card) -> None:
    """The mark that generated sample data carries everywhere."""
    if card.synthetic:
        Text("synthetic", "div", "aos-made")
