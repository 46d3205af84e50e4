"""The Arena's addresses: its lobby, and one page a round."""

from __future__ import annotations

from fastapi import HTTPException, Request

from anomalyos.core.errors import NotFound
from console.components.visitor import Visitor
from console.container import Services
from console.pages.arena.lobby import LobbyView
from console.pages.arena.play import RoundView
from console.services.blocking import run_blocking
from console.ui.shortcuts import ShortcutGroup
from console.ui.theme import frame

PATH = "/arena"
GAME: tuple[ShortcutGroup, ...] = (
    (
        "Play",
        (
            (("N",), "Normal"),
            (("D",), "Defect: click where it is, or press D again"),
            (("←", "→", "↑", "↓"), "Move the mark; with Shift in larger steps"),
            (("Enter",), "Defect at the mark; then the next picture"),
        ),
    ),
)


async def lobby(services: Services, visitor: Visitor) -> None:
    with frame("Arena", visitor.person, mode=PATH, open_items=visitor.open_items, shortcuts=GAME) as shell:
        LobbyView(services, shell, await run_blocking(services.arena.lobby, visitor.person))


async def own_round(services: Services, request: Request) -> None:
    """Find the round as its player may see it; to everybody else there is no such page."""
    person = await services.sessions.person(request)
    if person is None:
        raise HTTPException(404)
    try:
        play = await run_blocking(services.arena.state, person, request.path_params["token"])
    except NotFound as error:
        raise HTTPException(404, error.message) from error
    request.state.play = play


async def one_round(services: Services, visitor: Visitor, request: Request, token: str) -> None:
    """After ``own_round``."""
    with frame("Arena", visitor.person, mode=PATH, open_items=visitor.open_items, shortcuts=GAME) as shell:
        await RoundView(services, shell, token).show(request.state.play)
