"""Where a reviewer stands in a queue: which page, which item. No view in here."""

from __future__ import annotations

from dataclasses import dataclass, replace

from console.desk import QueueFilter, QueuePage
from console.views import Card

PAGE = 24


@dataclass
class QueueState:
    """The page of cards on screen and the selected one."""

    wanted: QueueFilter
    page: QueuePage
    index: int = 0

    @property
    def cards(self) -> list[Card]:
        return self.page.cards

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
        return f"{self.page.offset + self.index + 1:,} of {self.page.total:,}" if self.cards else ""

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

    def replace_current(self, card: Card) -> None:
        self.cards[self.index] = card

    def next_undecided(self) -> int | None:
        """Place of the next undecided card on this page, looking down first and then from the top."""
        order = [*range(self.index + 1, len(self.cards)), *range(self.index)]
        return next((place for place in order if self.cards[place].decision is None), None)

    def with_filter(self, *, decided: bool | None, category: str | None) -> QueueFilter:
        return replace(self.wanted, decided=decided, category=category)
