"""The types of defect of a product, picked by their first letter; review.js does the moving about."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from console.ui import kit
from console.ui.kit import Text, box

Pick = Callable[[str], Awaitable[None]]


def draw_button(*, tip: str, disabled: bool) -> None:
    """What opens the picker, attached to the button that says defect."""
    button = kit.button(
        "",
        icon_name="expand_less",
        shortcut="T",
        classes="aos-pick",
        tip=tip,
        disabled=disabled,
        act="pick",
        aria_haspopup="dialog",
        aria_expanded="false",
    )
    button.mark("pick")


def draw_picker(names: Sequence[str], pick: Pick) -> None:
    """The choices; choosing one is the decision. ``pick`` gets the name, empty for none."""
    with box("aos-picker", role="dialog", aria_label="Type of defect"):
        Text("Defect of type", "div", "aos-picker-title")
        with box("aos-picker-list"):
            _draw_choice("", "No type", pick)
            for name in names:
                _draw_choice(name, readable(name), pick)
        if not names:
            Text(
                "No types are known for this product yet. Write one beside the photo.",
                "p",
                "aos-muted aos-small",
            )
        with box("aos-picker-hint"):
            Text("First letter")
            kit.key("Enter")
            Text("decides")
            kit.key("Esc")
            Text("closes")


def readable(name: str) -> str:
    return name.replace("_", " ").replace("-", " ").strip()


def _draw_choice(name: str, text: str, pick: Pick) -> None:
    with kit.press(
        "aos-picker-choice", lambda: pick(name), data_letter=text[:1].lower() if name else ""
    ) as choice:
        if name:
            Text(text[:1], "b")
            Text(text[1:])
        else:
            Text(text)
    choice.mark(f"type-{name or 'none'}")
