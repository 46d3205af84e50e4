"""A queue's filters and its item in the address, so that a link shows the same again."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from anomalyos.inspection.inspections import FLAGGED
from anomalyos.inspection.tables import Verdict
from console.services.queue import QueueFilter

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
