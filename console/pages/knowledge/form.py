"""Fields of the editing windows: a visible word above each, which is also its accessible name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from anomalyos.core.errors import AnomalyOSError
from console.pages.knowledge.room import said
from console.ui import kit
from console.ui.kit import Text, box

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
        self._place.clear()
        with self._place:
            text = said(error) if isinstance(error, AnomalyOSError) else error
            with box(f"aos-notice tone-{tone}").mark("complaint"):
                kit.icon(icon_name)
                Text(text)

    def clear(self) -> None:
        self._place.clear()


def _call(changed: Changed | None) -> Callable[..., object] | None:
    # NiceGUI looks at the signature: a handler without arguments is called without any
    return changed
