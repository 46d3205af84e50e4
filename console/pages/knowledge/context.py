"""What every page of the knowledge base works with: services, actions carried out, fields of its forms."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import Request
from nicegui import ui

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


class PageContext:
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


Changed = Callable[[], None] | Callable[[], Awaitable[None]]


def text_field(
    label: str, value: str, changed: Changed | None = None, *, limit: int = 200, rows: int = 1, tip: str = ""
) -> ui.input | ui.textarea:
    """One line, or several when ``rows`` is above 1; ``changed`` is called soon after each keystroke."""
    with box("aos-kb-field-row"):
        Text(label, classes="aos-kb-label")
        field: ui.input | ui.textarea
        if rows > 1:
            field = ui.textarea(value=value, on_change=_call(changed))
            field.props(f"rows={rows}")
        else:
            field = ui.input(value=value, on_change=_call(changed))
        field.props(f"outlined dense debounce=200 maxlength={limit} aria-label='{label}'")
        field.mark(f"field-{label.lower().replace(' ', '-')}")
        if tip:
            Text(tip, classes="aos-small aos-muted")
    return field


def choice_field(
    label: str,
    options: dict[str, str],
    value: str | None,
    changed: Changed | None = None,
    *,
    typed: bool = False,
) -> ui.select:
    """A choice; with ``typed`` it can be searched by typing."""
    with box("aos-kb-field-row"):
        Text(label, classes="aos-kb-label")
        field = ui.select(options, value=value, with_input=typed, on_change=_call(changed))
        field.props(f"outlined dense options-dense aria-label='{label}'")
        field.mark(f"field-{label.lower().replace(' ', '-')}")
    return field


def reason_field() -> ui.input | ui.textarea:
    return text_field("Reason", "", limit=500, tip="Optional. It stays in the history.")


def actions(
    window: ui.dialog, word: str, save: Callable[[], Awaitable[None]], *, danger: bool = False
) -> ui.element:
    """Cancel and the action's own button."""
    with box("aos-dialog-actions"):
        kit.button("Cancel", window.close, classes="quiet").mark("cancel")
        return kit.button(word, save, classes="danger" if danger else "primary").mark("save")


def enable(button: ui.element, enabled: bool) -> None:
    if enabled:
        button.props.pop("aria-disabled", None)
    else:
        button.props["aria-disabled"] = "true"
    button.update()


class Complaint:
    """Where a window says what is wrong."""

    def __init__(self) -> None:
        self._place = box().props("role=alert")

    def say(self, error: AnomalyOSError | str, *, tone: str = "unsure", icon_name: str = "error") -> None:
        with kit.redrawn(self._place):
            text = said(error) if isinstance(error, AnomalyOSError) else error
            kit.icon_line(icon_name, text, f"aos-notice tone-{tone}").mark("complaint")

    def clear(self) -> None:
        self._place.clear()


def _call(changed: Changed | None) -> Callable[..., object] | None:
    # NiceGUI looks at the signature: a handler without arguments is called without any
    return changed
