"""The one frame all pages share: modes at the left, content at the right, help and toasts above."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from nicegui import app, ui

from anomalyos.accounts.tables import Role
from console.security.person import Person
from console.ui import kit
from console.ui.kit import Text, box
from console.ui.shortcuts import ShortcutGroup, draw_help, groups_of

ASSETS = Path(__file__).parents[1] / "assets"
_STYLES = (
    "tokens.css",
    "shell.css",
    "frame.css",
    "review.css",
    "live.css",
    "explanation.css",
    "forensics.css",
    "analytics.css",
    "arena.css",
    "knowledge.css",
    "admin.css",
    "checks.css",
)
_SCRIPTS = ("frame.js", "review.js", "live.js", "explanation.js", "arena.js", "knowledge.js")
"""Beside console.js, which stands first."""
_FADES_WITHIN = 0.4
"""Seconds until a closed window is out of sight."""


@dataclass(frozen=True)
class Mode:
    name: str
    path: str
    icon: str


MODES = (
    Mode("Inspector", "/", "center_focus_strong"),
    Mode("Forensics", "/forensics", "troubleshoot"),
    Mode("Analytics", "/analytics", "monitoring"),
    Mode("Arena", "/arena", "swords"),
    Mode("Knowledge Base", "/knowledge", "account_tree"),
)
ADMIN = Mode("Admin", "/admin", "shield_person")


class Frame:
    """What a page can ask of the frame around it."""

    def __init__(self, person: Person, count: Text, toasts: ui.element, windows: ui.element) -> None:
        self.person = person
        # kept, because a handler that redraws its own button has no page to ask for afterwards
        self.client = ui.context.client
        self._count = count
        self._toasts = toasts
        self._windows = windows

    def set_open(self, count: int) -> None:
        """How many items wait for a decision, shown at the Inspector mode."""
        self._count.set_text(f"{count:,}" if count < 1000 else "999+")
        self._count.classes(**({"add": "none"} if count == 0 else {"remove": "none"}))

    def toast(
        self,
        text: str,
        *,
        icon_name: str = "info",
        undo: Callable[[], Awaitable[None]] | None = None,
        seconds: float = 6.0,
    ) -> None:
        """A short message that leaves by itself; a new one replaces the old."""
        self._toasts.clear()
        with self._toasts, box("aos-toast").props("role=status").mark("toast") as toast:
            kit.icon(icon_name)
            Text(text)
            if undo is not None:
                kit.button("Undo", undo, shortcut="z").mark("toast-undo")
            ui.timer(seconds, lambda: toast.delete() if not toast.is_deleted else None, once=True)

    @contextmanager
    def dialog(self, title: str, *, wide: bool = False, persistent: bool = False) -> Iterator[ui.dialog]:
        """A window over the page, opened when the block ends; it is forgotten once it is closed.

        It hangs on the frame, so a handler may redraw the button that opened it.

        Args:
            wide: for comparisons; otherwise as wide as a form.
            persistent: neither Esc nor a click beside it closes it, for what is shown only once.
        """
        with self._windows, box() as anchor, ui.dialog() as window:
            window.props["aria-label"] = title
            window.props.set_bool("persistent", persistent)
            with box("aos-dialog" + (" wide" if wide else "")):
                Text(title, "h2")
                yield window

        def forget() -> None:
            # the window fades out first
            if not window.is_deleted:
                window.delete()
            if not anchor.is_deleted:
                anchor.delete()

        def closed(open_now: bool) -> None:
            if not open_now and not self._windows.is_deleted:
                with self._windows:
                    ui.timer(_FADES_WITHIN, forget, once=True)

        window.on_value_change(lambda event: closed(bool(event.value)))
        window.open()


def serve_assets() -> None:
    """Serve the console's own files under an address that changes with their content."""
    app.add_static_files(f"/assets/{_version()}", ASSETS, max_cache_age=31_536_000)


@lru_cache(maxsize=1)
def _version() -> str:
    digest = hashlib.sha256()
    for path in sorted(ASSETS.iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def head() -> None:
    """Styles and script of the console. The script stands first, so the theme is there before any paint."""
    base = f"/assets/{_version()}"
    links = "".join(f'<link rel="stylesheet" href="{base}/{name}">' for name in _STYLES)
    scripts = "".join(f'<script src="{base}/{name}" defer></script>' for name in _SCRIPTS)
    ui.add_head_html(f'<script src="{base}/console.js"></script>{links}{scripts}')


@contextmanager
def frame(
    title: str,
    person: Person,
    *,
    mode: str = "",
    open_items: int = 0,
    shortcuts: Sequence[ShortcutGroup] = (),
) -> Iterator[Frame]:
    """Draw the shell; the page's content goes inside the ``with`` block.

    Args:
        title: shown in the browser's tab.
        mode: path of the active mode.
        open_items: items that wait for a decision.
        shortcuts: the page's own keys, listed in the help before those that work everywhere.
    """
    ui.page_title(f"{title} · AnomalyOS")
    head()
    with box("aos-app"):
        with box("aos-skip", "a", href="#content"):
            Text("To the content")
        count = _rail(person, mode, open_items)
        main = box("aos-main", "main", id="content", tabindex="-1")
    toasts = box("aos-toasts").props("aria-live=polite")
    windows = box("aos-windows")
    draw_help(groups_of(mode, shortcuts))
    with main:
        yield Frame(person, count, toasts, windows)


def _rail(person: Person, active: str, open_items: int) -> Text:
    with box("aos-rail", "nav", aria_label="Modes"):
        with box("aos-logo", "a", href="/"):
            logo_image("AnomalyOS")
        _search()
        counts = [_mode(mode, active, open_items) for mode in MODES]
        if person.may(Role.ENGINEER):
            _mode(ADMIN, active, 0)
        box("aos-rail-space")
        _tool("keyboard", "Keyboard shortcuts (?)", "help")
        with _tool("dark_mode", "Light or dark", "theme", "only-light"):
            pass
        _tool("light_mode", "Light or dark", "theme", "only-dark")
        _me(person)
    return counts[0]


def _search() -> None:
    with kit.press(
        "aos-mode aos-seek", data_act="find", aria_haspopup="dialog", aria_keyshortcuts="Control+K Meta+K"
    ):
        kit.icon("search")
        Text("Search")
        ui.tooltip("Search from anywhere (Ctrl K)").props("anchor='center right' self='center left'")


def logo_image(alt: str) -> ui.element:
    image = ui.element("img")
    image.props["src"] = f"/assets/{_version()}/logo.svg"
    image.props["alt"] = alt
    return image


def _mode(mode: Mode, active: str, open_items: int) -> Text:
    with box(
        "aos-mode" + (" active" if mode.path == active else ""),
        "a",
        href=mode.path,
        aria_current="page" if mode.path == active else None,
    ):
        kit.icon(mode.icon)
        Text(mode.name)
        count = Text("", classes="aos-count none")
        if mode.path == "/" and open_items:
            count.set_text(f"{open_items:,}" if open_items < 1000 else "999+")
            count.classes(remove="none")
    return count


def _tool(icon_name: str, tip: str, act: str, classes: str = "") -> ui.element:
    with kit.press(f"aos-rail-tool {classes}", data_act=act, aria_label=tip) as element:
        kit.icon(icon_name)
        ui.tooltip(tip).props("anchor='center right' self='center left'")
    return element


def _me(person: Person) -> None:
    with box("aos-me", "button", aria_label=f"Signed in as {person.name}"):
        Text(person.name[:1], classes="aos-avatar")
        Text(person.name, classes="aos-me-name")
        # links and a form are in it, which a menu's role would not allow
        place = "anchor='center right' self='bottom left' :offset='[10, -30]'"
        with ui.menu().props(f"{place} role=group aria-label='Your account'"), box("aos-menu"):
            with box("aos-menu-head"):
                Text(person.name, "div").classes("aos-product")
                Text(f"Role: {person.role.value}", "div", "aos-muted aos-small")
            with box("aos-menu-item", "a", href="/nights"):
                kit.icon("nights_stay")
                Text("All nights")
            with box("aos-menu-item", "a", href="/tokens"):
                kit.icon("key")
                Text("My API tokens")
            with box("aos-menu-item", "a", href="/docs", target="_blank"):
                kit.icon("api")
                Text("REST reference")
            with (
                box("", "form", method="post", action="/logout"),
                box("aos-menu-item", "button", type="submit"),
            ):
                kit.icon("logout")
                Text("Sign out")
