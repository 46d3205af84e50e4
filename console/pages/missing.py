"""The page for addresses that do not exist."""

from __future__ import annotations

from functools import partial

from fastapi import Request

from console.container import Services
from console.services.blocking import run_blocking
from console.ui import kit
from console.ui.theme import frame


async def draw(services: Services, request: Request) -> None:
    """Draw into the page being built; the guard let only signed-in people come here."""
    person = await services.sessions.person(request)
    if person is None:
        return
    with frame("Not found", person, open_items=await run_blocking(services.inspections.open_items)):
        kit.empty_state(
            "explore_off",
            "There is no such page",
            "The link may be old, or a letter got lost.",
            actions=partial(kit.link, "To the queue", "/", "aos-button primary"),
        )
