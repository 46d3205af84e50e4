"""Where a reviewer stands in a queue: which filters, which page, which item; and all of it as an address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlencode

from anomalyos.inspection.inspections import FLAGGED
from anomalyos.inspection.tables import Verdict
from console.pages.inspector.item_lease import ItemLease
from console.services.queue import QueueFilter, QueuePage
from console.services.views import Card

STATES: dict[str, bool | None] = {"open": False, "decided": True, "all": None}
"""Names in the address of what ``QueueFilter.decided`` says."""
VERDICTS = (Verdict.ANOMALOUS, Verdict.UNKNOWN_CATEGORY, Verdict.NORMAL)
"""What can be chosen alone; without a choice the queue holds what was flagged."""
_LONGEST_NUMBER = 15


def read(batch_key: str, query: Mapping[str, str]) -> QueueFilter:
    """The filter an address asks for; what it says nothing useful about stays as usual."""
    verdict, model = query.get("verdict", ""), query.get("model", "")
    return QueueFilter(
        batch_key,
        category=query.get("category") or None,
        decided=STATES.get(query.get("show", "open"), False),
        verdicts=(verdict,) if verdict in {str(one) for one in VERDICTS} else FLAGGED,
        model_version_id=number(model),
        reviewer=query.get("reviewer") or None,
    )


def number(text: str) -> int | None:
    """A row's number in an address, None when it is none a database could hold."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER else None


def write(wanted: QueueFilter, item: int | None = None) -> str:
    """The address that ``read`` turns into ``wanted`` again, at the item with this number."""
    state = next(name for name, decided in STATES.items() if decided is wanted.decided)
    parts = {
        "batch": wanted.batch_key,
        "show": state if state != "open" else None,
        "category": wanted.category,
        "verdict": wanted.verdicts[0] if len(wanted.verdicts) == 1 else None,
        "model": wanted.model_version_id,
        "reviewer": wanted.reviewer,
        "item": item,
    }
    return "/?" + urlencode({name: value for name, value in parts.items() if value is not None})


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
