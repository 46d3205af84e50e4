"""The one frame all pages share: modes at the left, content at the right, help and toasts above."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from nicegui import app, ui

from console import kit
from console.auth import Person
from console.kit import Text, box

ASSETS = Path(__file__).parent / "assets"
_STYLES = ("tokens.css", "shell.css", "review.css")


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

HELP: tuple[tuple[str, tuple[tuple[tuple[str, ...], str], ...]], ...] = (
    (
        "Decide",
        ((("D",), "Defect"), (("F",), "False alarm"), (("U",), "Unsure"), (("Z",), "Undo the last decision")),
    ),
    (
        "Move",
        (
            (("J", "→", "↓"), "Next item"),
            (("K", "←", "↑"), "Previous item"),
            (("Esc",), "Leave a text field"),
        ),
    ),
    (
        "Look",
        (
            (("H",), "Heat map on or off; hold to peek"),
            (("R",), "Regions on or off"),
            (("+", "−"), "Zoom; drag to move"),
            (("0",), "Whole image"),
        ),
    ),
    ("Anywhere", ((("?",), "This help"),)),
)


class Frame:
    """What a page can ask of the frame around it."""

    def __init__(self, person: Person, count: Text, toasts: ui.element) -> None:
        self.person = person
        # kept, because a handler that redraws its own button has no page to ask for afterwards
        self.client = ui.context.client
        self._count = count
        self._toasts = toasts

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
                kit.button("Undo", undo, shortcut="z")
            ui.timer(seconds, lambda: toast.delete() if not toast.is_deleted else None, once=True)


def register() -> None:
    """Serve the console's own files under an address that changes with their content."""
    app.add_static_files(f"/assets/{_version()}", ASSETS, max_cache_age=31_536_000)


def _version() -> str:
    digest = hashlib.sha256()
    for path in sorted(ASSETS.iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def head() -> None:
    """Styles and script of the console. The script stands first, so the theme is there before any paint."""
    base = f"/assets/{_version()}"
    links = "".join(f'<link rel="stylesheet" href="{base}/{name}">' for name in _STYLES)
    ui.add_head_html(f'<script src="{base}/console.js"></script>{links}')


@contextmanager
def frame(title: str, person: Person, *, mode: str = "", open_items: int = 0) -> Iterator[Frame]:
    """Draw the shell; the page's content goes inside the ``with`` block.

    Args:
        title: shown in the browser's tab.
        mode: path of the active mode.
        open_items: items that wait for a decision.
    """
    ui.page_title(f"{title} · AnomalyOS")
    head()
    with box("aos-app"):
        count = _rail(person, mode, open_items)
        main = box("aos-main", "main")
    toasts = box("aos-toasts").props("aria-live=polite")
    _help()
    with main:
        yield Frame(person, count, toasts)


def _rail(person: Person, active: str, open_items: int) -> Text:
    with box("aos-rail", "nav"):
        with box("aos-logo", "a") as logo:
            logo.props["href"] = "/"
            logo_image("AnomalyOS")
        counts = [_mode(mode, active, open_items) for mode in MODES]
        box("aos-rail-space")
        _tool("keyboard", "Keyboard shortcuts (?)", "help")
        with _tool("dark_mode", "Light or dark", "theme", "only-light"):
            pass
        _tool("light_mode", "Light or dark", "theme", "only-dark")
        _me(person)
    return counts[0]


def logo_image(alt: str) -> ui.element:
    image = ui.element("img")
    image.props["src"] = f"/assets/{_version()}/logo.svg"
    image.props["alt"] = alt
    return image


def _mode(mode: Mode, active: str, open_items: int) -> Text:
    with box("aos-mode" + (" active" if mode.path == active else ""), "a") as element:
        element.props["href"] = mode.path
        if mode.path == active:
            element.props["aria-current"] = "page"
        kit.icon(mode.icon)
        Text(mode.name)
        count = Text("", classes="aos-count none")
        if mode.path == "/" and open_items:
            count.set_text(f"{open_items:,}" if open_items < 1000 else "999+")
            count.classes(remove="none")
    return count


def _tool(icon_name: str, tip: str, act: str, classes: str = "") -> ui.element:
    with box(f"aos-rail-tool {classes}", "button") as element:
        element.props["data-act"] = act
        element.props["aria-label"] = tip
        element.props["type"] = "button"
        kit.icon(icon_name)
        ui.tooltip(tip).props("anchor='center right' self='center left'")
    return element


def _me(person: Person) -> None:
    with box("aos-me", "button") as me:
        me.props["aria-label"] = f"Signed in as {person.name}"
        Text(person.name[:1], classes="aos-avatar")
        Text(person.name, classes="aos-me-name")
        with ui.menu().props("anchor='center right' self='bottom left' :offset='[10, -30]'"), box("aos-menu"):
            with box("aos-menu-head"):
                Text(person.name, "div").classes("aos-product")
                Text(f"Role: {person.role.value}", "div", "aos-muted aos-small")
            with box("aos-menu-item", "a") as nights:
                nights.props["href"] = "/nights"
                kit.icon("nights_stay")
                Text("All nights")
            with box("aos-menu-item", "a") as docs:
                docs.props["href"] = "/docs"
                docs.props["target"] = "_blank"
                kit.icon("api")
                Text("REST reference")
            with box("", "form") as form:
                form.props("method=post action=/logout")
                with box("aos-menu-item", "button").props("type=submit"):
                    kit.icon("logout")
                    Text("Sign out")


def _help() -> None:
    with box("aos-help"), box("aos-help-card") as help_card:
        help_card.props("role=dialog aria-label='Keyboard shortcuts'")
        with box("aos-help-head"):
            Text("Keyboard shortcuts", "h2")
            kit.button("Close", classes="small quiet", act="help", shortcut="Esc")
        with box("aos-help-cols"):
            for title, rows in HELP:
                with box("aos-help-group"):
                    Text(title, "h3")
                    for keys, meaning in rows:
                        with box("aos-help-row"):
                            Text(meaning)
                            with box("aos-help-keys"):
                                for letter in keys:
                                    kit.key(letter)
