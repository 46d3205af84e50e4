"""The Arena's addresses: its lobby, and one page a round."""

from __future__ import annotations

from fastapi import Depends, HTTPException, Request
from nicegui import app, ui

from anomalyos.core.errors import NotFound
from console.api.v1 import arena_media
from console.pages.arena.lobby import LobbyView
from console.pages.arena.play import RoundView
from console.security.sessions import session_person
from console.security.visitor import visit
from console.services.arena import ArenaService, Play
from console.services.blocking import run_blocking
from console.services.inspection import InspectionService
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


def register(desk: InspectionService) -> None:
    referee = ArenaService(desk)
    app.on_shutdown(referee.close)
    arena_media.register(referee)

    @ui.page(PATH, response_timeout=30)
    async def lobby(request: Request) -> None:
        visitor = await visit(request, desk)
        with frame(
            "Arena", visitor.person, mode=PATH, open_items=visitor.open_items, shortcuts=GAME
        ) as shell:
            LobbyView(referee, shell, await run_blocking(referee.lobby, visitor.person))

    async def own(request: Request, token: str) -> Play:
        """The round as its player may see it; to everybody else there is no such page."""
        person = await session_person(request, desk)
        if person is None:
            raise HTTPException(404)
        try:
            return await run_blocking(referee.state, person, token)
        except NotFound as error:
            raise HTTPException(404, error.message) from error

    @ui.page(PATH + "/round/{token}", response_timeout=30)
    async def one_round(request: Request, token: str, play: Play = Depends(own)) -> None:
        visitor = await visit(request, desk)
        with frame(
            "Arena", visitor.person, mode=PATH, open_items=visitor.open_items, shortcuts=GAME
        ) as shell:
            await RoundView(referee, shell, token).show(play)
