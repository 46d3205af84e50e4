"""What the map shows, as it stands in the address: links, back and forward all go through here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode

from anomalyos.knowledge.tables import NodeKind
from console.ui.graph_picture import Wanted

MOST_OPENED = 150
_SEPARATOR = "~"


def read(given: Mapping[str, str]) -> Wanted:
    """From an address; kinds that do not exist and what is too much are left out."""
    opened = [key for key in given.get("open", "").split(_SEPARATOR) if key]
    more: dict[str, int] = {}
    for key in given.get("more", "").split(_SEPARATOR):
        if key:
            more[key] = min(more.get(key, 0) + 1, MOST_OPENED)
    hidden = frozenset(kind for kind in given.get("without", "").split(",") if kind in set(NodeKind))
    return Wanted(
        focus=given.get("focus", "")[:200],
        opened=tuple(dict.fromkeys(opened))[:MOST_OPENED],
        kinds=hidden,
        category=given.get("category", "")[:64],
        more=more,
    )


def write(wanted: Wanted) -> str:
    """The address that shows ``wanted``."""
    repeated = [key for key, times in wanted.more.items() for _ in range(times)]
    named = {
        "focus": wanted.focus,
        "open": _SEPARATOR.join(wanted.opened),
        "more": _SEPARATOR.join(repeated),
        "without": ",".join(sorted(wanted.kinds)),
        "category": wanted.category,
    }
    query = urlencode({name: value for name, value in named.items() if value}, safe=":/~,")
    return f"/knowledge/graph?{query}" if query else "/knowledge/graph"


def toggled(wanted: Wanted, key: str, *, opened: bool) -> Wanted:
    """With one node opened or closed; a closed one forgets that more of it was asked for."""
    rest = tuple(other for other in wanted.opened if other != key)
    if opened:
        return replace(wanted, opened=(*rest, key))
    return replace(wanted, opened=rest, more={k: n for k, n in wanted.more.items() if k != key})


def more_of(wanted: Wanted, key: str) -> Wanted:
    return replace(wanted, more={**wanted.more, key: wanted.more.get(key, 0) + 1})
