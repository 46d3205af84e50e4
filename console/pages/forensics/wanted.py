"""What is searched for, as an address that can be sent to a colleague."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from urllib.parse import urlencode

from anomalyos.inspection.history import Wanted

_NAMES = {
    "q": "text",
    "category": "category",
    "verdict": "verdict",
    "decision": "decision",
    "defect": "defect_type",
    "from": "first_day",
    "to": "last_day",
}
_LONGEST = 200
_LAST_PAGE = 100_000


def from_query(query: Mapping[str, str]) -> tuple[Wanted, int]:
    """The search of an address and its page, counted from 0; what makes no sense is left out."""
    fields = {field: query.get(name, "").strip()[:_LONGEST] for name, field in _NAMES.items()}
    for day in ("first_day", "last_day"):
        fields[day] = day_or_nothing(fields[day])
    page = query.get("page", "")
    number = int(page) - 1 if page.isascii() and page.isdigit() and len(page) < 8 else 0
    return Wanted(**fields), max(0, min(number, _LAST_PAGE))


def to_address(wanted: Wanted, page: int) -> str:
    query = {name: getattr(wanted, field) for name, field in _NAMES.items() if getattr(wanted, field)}
    if page:
        query["page"] = str(page + 1)
    return f"/forensics?{urlencode(query)}" if query else "/forensics"


def day_or_nothing(text: str) -> str:
    """``text`` when it is a day as ``2026-11-24``, else empty: half a date is still being typed."""
    try:
        return date.fromisoformat(text).isoformat() if len(text) == 10 else ""
    except ValueError:
        return ""
