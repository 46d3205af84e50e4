"""Small parts every page is made of, so that the same thing looks the same everywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement

from console.texts.wording import Label


class Text(TextElement):
    """Plain text in a tag of choice; never HTML, whatever it holds."""

    def __init__(self, text: str, tag: str = "span", classes: str = "", **attributes: object) -> None:
        super().__init__(tag=tag, text=text)
        self.classes(classes)
        _set(self, attributes)


def box(classes: str = "", tag: str = "div", **attributes: object) -> ui.element:
    """An element with its attributes: ``aria_label`` is ``aria-label``, ``for_`` is ``for``; None is none."""
    element = ui.element(tag).classes(classes)
    _set(element, attributes)
    return element


def _set(element: ui.element, attributes: Mapping[str, object]) -> None:
    for name, value in attributes.items():
        if value is not None:
            element.props[name.rstrip("_").replace("_", "-")] = value


def image(address: str, alt: str = "", classes: str = "", **attributes: object) -> ui.element:
    """A picture; ``alt`` is empty where the words beside it say all that it shows."""
    return box(classes, "img", src=address, alt=alt, **attributes)


def press(classes: str, on_click: Callable[..., Any] | None = None, **attributes: object) -> ui.element:
    """A bare button, for whatever is drawn inside it."""
    element = box(classes, "button", type="button", **attributes)
    if on_click is not None:
        element.on("click", on_click, [])
    return element


@contextmanager
def redrawn(place: ui.element) -> Iterator[None]:
    """Empty ``place``, then draw into it."""
    place.clear()
    with place:
        yield


def set_on(element: ui.element, on: bool, classes: str = "active", attribute: str = "aria-pressed") -> None:
    """Show whether something is chosen, to the eye and to those who do not see it."""
    element.classes(**({"add": classes} if on else {"remove": classes}))
    element.props[attribute] = "true" if on else "false"


def icon(name: str, classes: str = "") -> ui.element:
    """A Material Symbol from NiceGUI's own font file, hidden from screen readers: a word stands beside it."""
    return ui.icon(f"sym_r_{name}").classes(classes).props("aria-hidden=true")


def icon_line(
    icon_name: str, text: str, classes: str = "", tag: str = "div", **attributes: object
) -> ui.element:
    """An icon with its words beside it."""
    with box(classes, tag, **attributes) as element:
        icon(icon_name)
        Text(text)
    return element


def key(letter: str) -> Text:
    return Text(letter, "kbd", "aos-key")


def badge(label: Label) -> ui.element:
    """Icon and word in the label's tone."""
    return icon_line(label.icon, label.word, f"aos-badge tone-{label.tone}", "span")


def synthetic_badge() -> ui.element:
    """Marks generated sample data wherever it is shown."""
    with box("aos-badge plain", "span").mark("synthetic") as element:
        Text("synthetic")
        ui.tooltip("Generated sample data, not photographs")
    return element


def button(
    text: str,
    on_click: Callable[..., Any] | None = None,
    *,
    icon_name: str = "",
    shortcut: str = "",
    classes: str = "",
    tip: str = "",
    disabled: bool = False,
    act: str = "",
    **attributes: object,
) -> ui.element:
    """A native button.

    Args:
        shortcut: the key that presses it, also shown on it.
        disabled: shown as such and still focusable, so the tip can say why; the handler decides anyway.
        act: what console.js does itself on a click (theme, help, heat, regions, zoom-in, zoom-reset).
    """
    with press(f"aos-button {classes}", on_click) as element:
        if icon_name:
            icon(icon_name)
        if text:
            Text(text)
        if shortcut:
            key(shortcut.upper())
            element.props["data-key"] = shortcut.lower()
        if tip:
            ui.tooltip(tip)
            element.props["aria-label"] = text or tip
    if act:
        element.props["data-act"] = act
    if disabled:
        element.props["aria-disabled"] = "true"
    _set(element, attributes)
    return element


def link(
    text: str, href: str, classes: str = "aos-button", icon_name: str = "", **attributes: object
) -> ui.element:
    with box(classes, "a", href=href, **attributes) as element:
        if icon_name:
            icon(icon_name)
        Text(text)
    return element


def segment(text: str, href: str, *, active: bool, count: int | None = None) -> ui.element:
    """One choice of a segmented control that leads to another address."""
    with box(
        "aos-segment" + (" active" if active else ""), "a", href=href, aria_current="page" if active else None
    ) as element:
        Text(text)
        if count is not None:
            Text(f"{count:,}", classes="n")
    return element


def empty_state(
    icon_name: str,
    title: str,
    text: str,
    *,
    tone: str = "accent",
    actions: Callable[[], object] | None = None,
) -> ui.element:
    """A calm explanation where there is nothing to show: what is so, and what comes next."""
    with box("aos-empty") as element, box("aos-empty-in"):
        with box(f"aos-empty-icon tone-{tone}"):
            icon(icon_name)
        Text(title, "h2")
        Text(text, "p")
        if actions is not None:
            with box("aos-empty-actions"):
                actions()
    return element


def section(classes: str, title: str, tag: str = "h2") -> ui.element:
    """A part of a page under its heading."""
    with box(classes) as element:
        Text(title, tag)
    return element


def facts(rows: Iterable[tuple[str, str]], classes: str = "aos-facts") -> None:
    """Names and values, one below the other."""
    with box(classes, "dl"):
        for name, value in rows:
            Text(name, "dt")
            Text(value, "dd")


@contextmanager
def table(classes: str, titles: Sequence[str], *, actions: bool = False) -> Iterator[None]:
    """A table whose rows are drawn inside; ``actions`` adds a column whose heading is only heard."""
    with box("aos-adm-table-wrap"), box(f"aos-adm-table {classes}", "table"):
        with box("", "thead"), box("", "tr"):
            for title in titles:
                Text(title, "th").props("scope=col")
            if actions:
                with box("", "th").props("scope=col"):
                    Text("Actions", classes="aos-hidden")
        with box("", "tbody"):
            yield


def thumbnail(address: str, icon_name: str = "broken_image", *, alt: str = "", **attributes: object) -> None:
    """A small picture; an icon where ``address`` is empty, for there is none."""
    if address:
        image(address, alt, "aos-thumb", **attributes)
        return
    with box("aos-thumb"):
        icon(icon_name)


def dialog_actions(
    window: ui.dialog, word: str, act: Callable[..., Any], mark: str, kind: str = "primary"
) -> None:
    """The end of a window: Cancel, and what it is for."""
    with box("aos-dialog-actions"):
        button("Cancel", window.close).mark("cancel")
        button(word, act, classes=kind).mark(mark)


def notice(text: str, tone: str, icon_name: str) -> ui.element:
    return icon_line(icon_name, text, f"aos-notice tone-{tone}", role="status")


def pager(start: int, shown: int, total: int, size: int, href: Callable[[int], str]) -> None:
    """Where in a long list this page is, with links to its neighbours; nothing while one page is enough.

    Args:
        start: number of rows before this page.
        shown: rows on it.
        size: rows a full page holds.
        href: address of the page that starts at a given row.
    """
    if total <= size:
        return
    with box("aos-pager", "nav", aria_label="Pages"):
        Text(f"{start + 1:,}–{start + shown:,} of {total:,}")
        with box("aos-pager-buttons"):
            if start > 0:
                link("Back", href(max(0, start - size)), "aos-button small", "chevron_left")
            if start + shown < total:
                link("More", href(start + size), "aos-button small", "chevron_right")
