"""Keyboard shortcuts as the help lists them: those of the page, then those that work everywhere."""

from __future__ import annotations

from collections.abc import Sequence

from console.ui import kit
from console.ui.kit import Text, box

ShortcutGroup = tuple[str, tuple[tuple[tuple[str, ...], str], ...]]
"""A heading, and rows of (keys, what they do)."""

REVIEW: tuple[ShortcutGroup, ...] = (
    (
        "Decide",
        (
            (("D",), "Defect"),
            (("T",), "Defect of a type: first letter, Enter"),
            (("F",), "False alarm"),
            (("U",), "Unsure"),
            (("N",), "Write a note"),
            (("Z",), "Undo the last decision"),
        ),
    ),
    (
        "Move",
        (
            (("J", "→", "↓"), "Next item"),
            (("K", "←", "↑"), "Previous item"),
            (("L",), "Filter the list"),
            (("Esc",), "Leave a text field"),
        ),
    ),
    (
        "Look",
        (
            (("H",), "Heat map on or off; hold to peek"),
            (("R",), "Regions on or off"),
            (("S",), "Side by side with the bare photo"),
            (("+", "−"), "Zoom; drag to move"),
            (("0",), "Whole image"),
        ),
    ),
)
"""Keys of the pages on which an item is looked at and decided."""

ANYWHERE: tuple[ShortcutGroup, ...] = (
    (
        "Anywhere",
        (
            (("Ctrl", "K"), "Search: parts, products, causes, pages"),
            (("?",), "This help"),
            (("Esc",), "Close what is open"),
        ),
    ),
    (
        "Go to",
        (
            (("G", "I"), "Inspector"),
            (("G", "F"), "Forensics"),
            (("G", "A"), "Analytics"),
            (("G", "R"), "Arena"),
            (("G", "K"), "Knowledge Base"),
        ),
    ),
)


def groups_of(mode: str, own: Sequence[ShortcutGroup]) -> tuple[ShortcutGroup, ...]:
    """What the help of a page lists.

    Args:
        mode: path of the active mode; the Inspector's pages share the keys of reviewing.
        own: groups the page adds; one with a heading that is there already takes its place.
    """
    named = {title for title, _ in own}
    shared = REVIEW if mode == "/" else ()
    return (*(group for group in shared if group[0] not in named), *own, *ANYWHERE)


def draw_help(groups: Sequence[ShortcutGroup]) -> None:
    """The help itself, hidden until console.js opens it."""
    with (
        box("aos-help"),
        box("aos-help-card", role="dialog", aria_modal="true", aria_label="Keyboard shortcuts"),
    ):
        with box("aos-help-head"):
            Text("Keyboard shortcuts", "h2")
            kit.button("Close", classes="small quiet", act="help", shortcut="Esc")
        with box("aos-help-cols"):
            for title, rows in groups:
                with box("aos-help-group"):
                    Text(title, "h3")
                    for keys, meaning in rows:
                        _row(keys, meaning)


def _row(keys: tuple[str, ...], meaning: str) -> None:
    with box("aos-help-row"):
        Text(meaning)
        with box("aos-help-keys"):
            for letter in keys:
                kit.key(letter)
