"""Today's live inspections, everybody's, the newest first: read page by page, so leaving loses nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from nicegui import ui

from anomalyos.inspection import batches
from anomalyos.inspection.list_newest import list_newest, live_batch_of
from anomalyos.inspection.tables import Verdict
from console.container import Services
from console.pages.inspector.item_list import made_mark, thumbnail
from console.services.blocking import run_blocking
from console.services.today import today
from console.services.views import Card, cards
from console.texts import wording
from console.ui import kit
from console.ui.kit import Text, box

PAGE = 24
_FLAGGED = (Verdict.ANOMALOUS, Verdict.UNKNOWN_CATEGORY)
FILTERS: dict[str, tuple[str, ...]] = {
    "All": tuple(Verdict),
    "Flagged": _FLAGGED,
    "Normal": (Verdict.NORMAL,),
    "Rejected": (Verdict.REJECTED,),
}


@dataclass(frozen=True)
class Page:
    """One page of a day's live inspections, and how many there are of each verdict."""

    cards: list[Card] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    newest_id: int = 0
    """Of the day, whatever the filter: what comes later has a higher one."""


def read_page(services: Services, day: str, verdicts: tuple[str, ...], offset: int) -> Page:
    """Blocking. An empty page on a day without live inspections."""
    with services.store.session(read_only=True) as session:
        batch = live_batch_of(session, day)
        if batch is None or batch.id is None:
            return Page()
        totals = batches.summary(session, batch.id)
        rows = list_newest(session, batch.id, verdicts=verdicts, limit=PAGE, offset=offset)
        last = list_newest(session, batch.id, limit=1)
        counts = {verdict.value: int(getattr(totals, verdict.value)) for verdict in Verdict}
        return Page(cards(session, rows), counts, last[0].id or 0 if last else 0)


class LiveResults:
    """The list; ``choose`` is called with the inspection's id."""

    def __init__(self, services: Services, choose: Callable[[int], Awaitable[None]]) -> None:
        self._services = services
        self._choose = choose
        self._filter = "All"
        self._offset = 0
        self._page = Page()
        self._selected: int | None = None
        self._rows: dict[int, ui.element] = {}
        self._filters: dict[str, tuple[ui.element, Text]] = {}
        with box("aos-live-head"):
            Text("Inspected today", "h2")
            with box("aos-segments aos-live-filters").props("role=group aria-label='Which results'"):
                for name in FILTERS:
                    self._draw_filter(name)
        self._list = box("aos-items").mark("results")
        self._pager = box("aos-pager")

    @property
    def ids(self) -> list[int]:
        return [card.id for card in self._page.cards]

    async def load(self) -> None:
        """Read the page anew and draw it."""
        page = await run_blocking(read_page, self._services, today(), FILTERS[self._filter], self._offset)
        if not self._list.is_deleted:
            self._page = page
            self._draw()

    def add(self, card: Card) -> None:
        """A result that has just come: on top of the first page, counted unless it was there before."""
        page = self._page
        if card.id > page.newest_id:
            counts = {**page.counts, card.verdict: page.counts.get(card.verdict, 0) + 1}
            page = replace(page, counts=counts, newest_id=card.id)
        shown = self._offset == 0 and card.verdict in FILTERS[self._filter] and card.id not in self._rows
        self._page = replace(page, cards=[card, *page.cards][:PAGE]) if shown else page
        if shown:
            for gone in set(self._rows) - set(self.ids):
                self._rows.pop(gone).delete()
            with self._list:
                self._draw_row(card).move(target_index=0)
        self._draw_around()

    def update(self, card: Card) -> None:
        """Show a decision at its row."""
        if card.id in self._rows:
            kept = [card if old.id == card.id else old for old in self._page.cards]
            self._page = replace(self._page, cards=kept)
            row = self._rows[card.id]
            with kit.redrawn(row):
                _draw_card(card)

    def select(self, inspection_id: int | None) -> None:
        self._selected = inspection_id
        for number, row in self._rows.items():
            kit.set_on(row, number == inspection_id, "selected", "aria-current")

    async def neighbour(self, by: int) -> int | None:
        """The result ``by`` places below the chosen one, on the next page if need be; None at the end."""
        if self._selected not in self.ids:
            return self.ids[0] if self.ids else None
        place = self.ids.index(self._selected) + by
        if 0 <= place < len(self.ids):
            return self.ids[place]
        if not await self._turn(by):
            return None
        return self.ids[0 if by > 0 else -1] if self.ids else None

    def _total(self, name: str) -> int:
        return sum(self._page.counts.get(verdict, 0) for verdict in FILTERS[name])

    def _draw_filter(self, name: str) -> None:
        async def choose() -> None:
            self._filter, self._offset = name, 0
            await self.load()

        with kit.press("aos-segment", choose).mark(f"filter-{name.lower()}") as element:
            Text(name)
            count = Text("0", classes="n")
        self._filters[name] = element, count

    def _draw(self) -> None:
        self._list.clear()
        self._rows = {}
        with self._list:
            for card in self._page.cards:
                self._draw_row(card)
        self.select(self._selected)
        self._draw_around()

    def _draw_around(self) -> None:
        for name, (element, count) in self._filters.items():
            kit.set_on(element, name == self._filter)
            count.set_text(f"{self._total(name):,}")
        if not self._page.cards:
            with kit.redrawn(self._list):
                empty = (
                    "Nothing yet today" if self._filter == "All" else f"Nothing {self._filter.lower()} today"
                )
                Text(empty, "div", "aos-list-empty")
        total = self._total(self._filter)
        self._pager.clear()
        self._pager.set_visibility(total > PAGE)
        with self._pager:
            Text(f"{self._offset + 1:,}–{min(total, self._offset + PAGE):,} of {total:,}")
            with box("aos-pager-buttons"):
                if self._offset:
                    self._draw_turn(-1, "chevron_left", "Newer")
                if self._offset + PAGE < total:
                    self._draw_turn(1, "chevron_right", "Older")

    def _draw_turn(self, by: int, icon_name: str, word: str) -> None:
        async def turn() -> None:
            await self._turn(by)

        kit.button("", turn, icon_name=icon_name, classes="small quiet", tip=word).mark(word.lower())

    async def _turn(self, by: int) -> bool:
        offset = self._offset + by * PAGE
        if not 0 <= offset < max(1, self._total(self._filter)):
            return False
        self._offset = offset
        await self.load()
        return True

    def _draw_row(self, card: Card) -> ui.element:
        if not self._rows:
            self._list.clear()
        with kit.press("aos-item", lambda: self._choose(card.id)).mark(f"result-{card.id}") as row:
            _draw_card(card)
        self._rows[card.id] = row
        return row


def _draw_card(card: Card) -> None:
    decision = card.decision
    label = wording.decision_label(decision) if decision else wording.verdict_label(card.verdict)
    if card.verdict == Verdict.REJECTED:
        with box("aos-thumb tone-rejected"):
            kit.icon("block")
    else:
        thumbnail(card)
    with box().style("min-width: 0"):
        Text(card.source, "div", "aos-item-name")
        if card.verdict == Verdict.REJECTED:
            Text(f"{label.word}: {card.reject_reason}", "div", "aos-item-sub aos-item-why")
        else:
            product = f" · {wording.product(card.category)}" if card.category else ""
            Text(label.word + product, "div", "aos-item-sub")
        made_mark(card)
    with box(f"aos-item-mark tone-{label.tone}"):
        kit.icon(label.icon)
        ui.tooltip(label.word)
