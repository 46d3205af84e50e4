"""Where a reviewer stands in a queue: which page, which item. No view in here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from console.pages.inspector.item_lease import ItemLease
from console.services.queue import QueueFilter, QueuePage
from console.services.views import Card

PAGE = 24


@dataclass
class QueueState:
    """The page of cards on screen and the selected one; -1 when what is shown is not in the list."""

    wanted: QueueFilter
    page: QueuePage
    index: int = 0

    @property
    def cards(self) -> list[Card]:
        return self.page.cards

    @property
    def around(self) -> list[Card]:
        """The page's cards and the first of the next page."""
        return [*self.page.cards, *self.page.ahead]

    @property
    def current(self) -> Card | None:
        return self.cards[self.index] if 0 <= self.index < len(self.cards) else None

    @property
    def has_earlier(self) -> bool:
        return self.page.offset > 0

    @property
    def has_later(self) -> bool:
        return self.page.offset + len(self.cards) < self.page.total

    @property
    def position_text(self) -> str:
        """``3 of 61``."""
        return f"{self.page.offset + self.index + 1:,} of {self.page.total:,}" if self.current else ""

    @property
    def range_text(self) -> str:
        """``1–24 of 61``."""
        if not self.cards:
            return "0"
        return f"{self.page.offset + 1}–{self.page.offset + len(self.cards)} of {self.page.total:,}"

    def put(self, page: QueuePage, *, prefer: int | None = None, index: int | None = None) -> None:
        """Take over a freshly read page and select ``prefer`` (an inspection's id) or ``index``.

        The index is clamped, so after the last item of the page has gone the new last one is selected.
        """
        self.page = page
        wanted = self.index if index is None else index
        found = next((place for place, card in enumerate(page.cards) if card.id == prefer), wanted)
        self.index = max(0, min(found, len(page.cards) - 1))

    def replace(self, card: Card) -> None:
        """Put in what is newly known of a card of this page; one that is not on it is left out."""
        for place, known in enumerate(self.cards):
            if known.id == card.id:
                self.cards[place] = card

    def undecided_from(self, start: int) -> list[int]:
        """Places of the undecided cards of this page, looking down from ``start`` and then from the top."""
        first = max(0, start)
        order = [*range(first, len(self.cards)), *range(min(first, len(self.cards)))]
        return [place for place in order if self.cards[place].decision is None]


class OpenQueue(Protocol):
    """What the parts of the queue's page may ask of it."""

    state: QueueState
    lease: ItemLease

    async def step(self, by: int) -> None: ...

    async def go(self, place: int) -> None: ...

    async def turn(self, by: int) -> None: ...

    async def filter(self, wanted: QueueFilter) -> None: ...
