"""What every page of the knowledge base works with, and how an action is carried out from one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import Request

from anomalyos.accounts.tables import Role
from anomalyos.core.errors import AnomalyOSError, Conflict
from console.components.visitor import reauthorize
from console.container import Services
from console.security.person import Person
from console.services.blocking import run_blocking
from console.services.knowledge_editor import Saved
from console.ui import kit
from console.ui.kit import Text, box
from console.ui.shortcuts import ShortcutGroup
from console.ui.theme import Frame

Reload = Callable[[], Awaitable[None]]

SHORTCUTS: tuple[ShortcutGroup, ...] = (
    (
        "Knowledge Base",
        (
            (("/",), "To the search field"),
            (("↓", "↑"), "Next and previous result"),
            (("Enter",), "Open the result"),
        ),
    ),
)


class Room:
    """One opened page: the services and the frame around the page."""

    def __init__(self, services: Services, frame: Frame) -> None:
        self.services = services
        self.knowledge = services.knowledge
        self.editor = services.knowledge_editor
        self.frame = frame

    @property
    def person(self) -> Person:
        """Who opened the page; what is done is checked anew by ``attempt``."""
        return self.frame.person

    async def attempt(
        self,
        role: Role,
        work: Callable[[Person], Saved],
        reload: Reload,
        *,
        conflict: Callable[[Conflict], Awaitable[None]] | None = None,
    ) -> bool:
        """Do one change, say so with a way back, and draw the page anew.

        Args:
            work: blocking; runs off the event loop.
            conflict: what to do instead of a message when somebody was quicker.

        Returns:
            Whether it was done.
        """
        person = await reauthorize(self.services, self.frame, role)
        if person is None:
            return False
        try:
            saved = await run_blocking(work, person)
        except Conflict as error:
            if conflict is not None:
                await conflict(error)
                return False
            self.frame.toast(said(error), icon_name="sync_problem", seconds=10)
            await reload()
            return False
        except AnomalyOSError as error:
            self.frame.toast(said(error), icon_name="error", seconds=10)
            return False

        async def undo() -> None:
            await self._undo(role, saved, reload)

        self.frame.toast(saved.said, icon_name="check_circle", undo=undo, seconds=10)
        await reload()
        return True

    async def _undo(self, role: Role, saved: Saved, reload: Reload) -> None:
        person = await reauthorize(self.services, self.frame, role)
        if person is None:
            return
        try:
            await run_blocking(saved.undo, person)
        except AnomalyOSError as error:
            self.frame.toast(said(error), icon_name="sync_problem", seconds=10)
        else:
            self.frame.toast("Taken back.", icon_name="undo")
        await reload()


def said(error: AnomalyOSError) -> str:
    """An error with its next step, without the names of commands that a browser has no use for."""
    hint = "" if "'anomalyos " in error.hint else error.hint
    return f"{error.message} {hint}".strip()


PAGES = (
    ("Search", "/knowledge"),
    ("Map", "/knowledge/graph"),
    ("Changes", "/knowledge/changes"),
    ("Import and export", "/knowledge/exchange"),
)


def draw_head(active: str) -> None:
    """Title and the pages of the knowledge base."""
    with box("aos-head aos-kb-head"):
        Text("Knowledge Base", "h1" if active == "/knowledge" else "div", "aos-night-title")
        with box("aos-segments", "nav").props("aria-label='Knowledge Base'"):
            for name, path in PAGES:
                kit.segment(name, path, active=path == active)


def parameters(request: Request) -> dict[str, str]:
    return dict(request.query_params)
