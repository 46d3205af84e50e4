"""What a visitor asks to see, read from the page's address and written back to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from urllib.parse import urlencode

from anomalyos.analytics.statistics import Selection
from anomalyos.inspection.tables import BatchKind

PATH = "/analytics"
PRESETS = (7, 30, 90)
DEFAULT = 30
EVERYTHING = "all"
KINDS = {BatchKind.NIGHTLY.value: "Nights", BatchKind.LIVE.value: "Live", EVERYTHING: "Nights and live"}
_EARLIEST, _LATEST = date(2000, 1, 1), date(2100, 12, 31)


@dataclass(frozen=True)
class AnalyticsFilter:
    """A range of days with filters; ``today`` is what "the last 30 days" end with."""

    first: date
    last: date
    today: date
    category: str = ""
    line: str = ""
    kind: str = BatchKind.NIGHTLY.value
    misread: bool = False
    """Whether the address held days that are no dates, so the default range is shown instead."""

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def preset(self) -> int | None:
        """The number of days when this is one of the ranges that end today."""
        return self.days if self.last == self.today and self.days in PRESETS else None

    @property
    def selection(self) -> Selection:
        return Selection(
            self.first.isoformat(),
            self.last.isoformat(),
            self.category or None,
            self.line or None,
            None if self.kind == EVERYTHING else self.kind,
        )

    def with_days(self, days: int) -> AnalyticsFilter:
        return replace(self, first=self.today - timedelta(days=days - 1), last=self.today)

    def where(self, field: str, value: str) -> AnalyticsFilter:
        """The same with ``category`` or ``line`` set."""
        return replace(self, category=value) if field == "category" else replace(self, line=value)

    def address(self) -> str:
        """The page's address that shows the same again."""
        return f"{PATH}?{self._query()}"

    def export_address(self, table: str) -> str:
        return f"/api/analytics/{table}.csv?{self._query()}"

    def _query(self) -> str:
        if self.preset:
            parts = {"days": str(self.preset)}
        else:
            parts = {"from": self.first.isoformat(), "to": self.last.isoformat()}
        optional = {"category": self.category, "line": self.line}
        parts |= {name: value for name, value in optional.items() if value}
        if self.kind != BatchKind.NIGHTLY:
            parts["kind"] = self.kind
        return urlencode(parts)


def read(query: Mapping[str, str], today: date) -> AnalyticsFilter:
    """What an address asks for; what makes no sense in it falls back to the default.

    Args:
        query: ``days`` (7, 30, 90) or ``from`` and ``to`` (ISO dates, both included), ``category``,
            ``line``, ``kind`` (nightly, live, all).
    """
    wanted = AnalyticsFilter(
        today,
        today,
        today,
        category=query.get("category", "")[:64],
        line=query.get("line", "")[:64].lower(),
        kind=query.get("kind", "") if query.get("kind") in KINDS else BatchKind.NIGHTLY.value,
    )
    days = query.get("days", "")
    wanted = wanted.with_days(int(days) if days in {str(preset) for preset in PRESETS} else DEFAULT)
    if not (query.get("from") or query.get("to")):
        return wanted
    first, last = _day(query.get("from", "")), _day(query.get("to", ""))
    if first is None or last is None:
        return replace(wanted, misread=True)
    return replace(wanted, first=min(first, last), last=max(first, last))


def _day(text: str) -> date | None:
    try:
        return min(max(date.fromisoformat(text), _EARLIEST), _LATEST)
    except ValueError:
        return None
