"""How a refusal is said: in the window that asked for it, or as a toast."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from nicegui import ui

from anomalyos.core.errors import AnomalyOSError
from console.services.blocking import run_blocking
from console.ui import kit
from console.ui.theme import Frame

T = TypeVar("T")


async def attempt(shell: Frame, work: Callable[[], T], place: ui.element | None = None) -> T | None:
    """What ``work`` returns, done off the loop; None after a refusal was said.

    Args:
        place: where in an open window the refusal is said; a toast says it without one.
    """
    if place is not None:
        place.clear()
    try:
        return await run_blocking(work)
    except AnomalyOSError as error:
        if place is None:
            shell.toast(str(error), icon_name="error", seconds=10)
        else:
            refuse(place, str(error))
        return None


def refuse(place: ui.element, text: str, icon_name: str = "error") -> None:
    """Say in an open window why nothing was done."""
    place.clear()
    with place:
        kit.notice(text, "defect", icon_name).mark("refused")
