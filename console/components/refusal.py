"""One action of one person: allowed anew, done off the loop, and a refusal said where it was asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from nicegui import ui

from anomalyos.accounts.tables import Role
from anomalyos.core.errors import AnomalyOSError
from console.components.visitor import reauthorize
from console.container import Services
from console.security.person import Person
from console.services.blocking import run_blocking
from console.ui import kit
from console.ui.theme import Frame

T = TypeVar("T")


async def attempt(
    services: Services,
    shell: Frame,
    role: Role,
    work: Callable[[Person], T],
    place: ui.element | None = None,
    *,
    say: Callable[[AnomalyOSError], str] = str,
) -> tuple[T] | None:
    """What ``work`` returns, alone in a tuple, so that None always means: not done, and why was said.

    Args:
        work: blocking; gets the person, whose role is at least ``role``.
        place: where in an open window a refusal is said; a toast says it without one.
        say: an error in words.
    """
    person = await reauthorize(services, shell, role)
    if person is None:
        return None
    if place is not None:
        place.clear()
    try:
        return (await run_blocking(work, person),)
    except AnomalyOSError as error:
        if place is None:
            shell.toast(say(error), icon_name="error", seconds=10)
        else:
            refuse(place, say(error))
        return None


def refuse(place: ui.element, text: str, icon_name: str = "error") -> None:
    """Say in an open window why nothing was done."""
    with kit.redrawn(place):
        kit.notice(text, "defect", icon_name).mark("refused")
