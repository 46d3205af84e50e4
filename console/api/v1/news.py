"""What happened while a page was open: models that were promoted or rolled back by somebody else."""

from __future__ import annotations

from typing import Any

from fastapi import Query

from anomalyos.accounts.tables import Role
from anomalyos.db.engine import Store
from anomalyos.models import promotions
from anomalyos.models.promotions import Move
from console.api.v1.caller import Caller
from console.container import Services
from console.security.person import Person
from console.services.blocking import run_blocking
from console.texts import links, wording


async def news(
    services: Services, person: Caller, after: int | None = Query(None, ge=0, le=2**31 - 1)
) -> dict[str, Any]:
    """Moves of any champion pointer later than ``after``; without it only where things stand.

    The address frame.js asks every 20 seconds while its page is in sight.
    """
    if after is None:
        return {"newest": await run_blocking(_newest, services.store), "items": []}
    moves = await run_blocking(_moves, services.store, after)
    newest = max((move.id for move in moves), default=after)
    return {"newest": newest, "items": [_item(move, person) for move in _lasting(moves, person.name)]}


def _newest(store: Store) -> int:
    with store.session(read_only=True) as session:
        return promotions.newest_id(session)


def _moves(store: Store, after: int) -> list[Move]:
    with store.session(read_only=True) as session:
        return promotions.moves_after(session, after)


def _lasting(moves: list[Move], reader_name: str) -> list[Move]:
    """The last move of each product; people know of their own."""
    last = {move.category: move for move in moves}
    return [move for move in last.values() if move.actor != reader_name]


def _item(move: Move, person: Person) -> dict[str, str]:
    """Who may promote is led to the versions, everybody else to how the product does."""
    back = move.kind == promotions.ROLLBACK
    name = wording.product(move.category)
    return {
        "key": f"model:{move.category}",
        "icon": "history" if back else "new_releases",
        "text": f"{name} is back on v{move.version}." if back else f"{name} v{move.version} is in use now.",
        "href": links.models(move.category) if person.may(Role.ENGINEER) else links.product(move.category),
        "link": "Look",
    }
