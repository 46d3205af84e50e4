"""What happened while a page was open: models that were promoted or rolled back by somebody else."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Query
from nicegui import app

from anomalyos.accounts.tables import Role
from anomalyos.models import promotions
from anomalyos.models.promotions import Move
from console.api.v1.caller import reader
from console.security.sessions import Person
from console.services.blocking import run_blocking
from console.services.inspection import InspectionService
from console.ui import links, wording


def register(desk: InspectionService) -> None:
    """The address frame.js asks every 20 seconds while its page is in sight."""
    router = APIRouter(include_in_schema=False)

    @router.get("/api/console/news")
    async def news(
        after: int | None = Query(None, ge=0, le=2**31 - 1), person: Person = Depends(reader(desk))
    ) -> dict[str, Any]:
        """Moves of any champion pointer later than ``after``; without it only where things stand."""
        if after is None:
            return {"newest": await run_blocking(_newest, desk), "items": []}
        moves = await run_blocking(_moves, desk, after)
        newest = max((move.id for move in moves), default=after)
        return {"newest": newest, "items": [_item(move, person) for move in _lasting(moves, person.name)]}

    app.include_router(router)


def _newest(desk: InspectionService) -> int:
    with desk.store.session(read_only=True) as session:
        return promotions.newest_id(session)


def _moves(desk: InspectionService, after: int) -> list[Move]:
    with desk.store.session(read_only=True) as session:
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
