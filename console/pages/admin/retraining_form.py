"""What a retraining can be told: one field on the page for each field of its form."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from nicegui import ui

from anomalyos.core.forms import AS_SET, AS_SET_WORDS, Form, FormField
from console.ui import wording
from console.ui.kit import Text

Asked = TypeVar("Asked", bound=Form)


class OptionsForm(Generic[Asked]):
    """Fields with their defaults; ``options`` reads what was filled in."""

    def __init__(self, form: type[Asked], products: list[str], chosen: str = "") -> None:
        """``products`` may be chosen as ``categories``, ``chosen`` is at first; unknown ones are not."""
        self._form = form
        self._products = products
        self._chosen = [chosen] if chosen in products else []
        self._inputs: dict[str, Any] = {}

    def draw(self) -> None:
        Text("What to learn again", "h2", "aos-label")
        for name, field in self._form.questions().items():
            self._inputs[name] = self._draw(field).mark(name.replace("_", "-"))
            if field.needs is not None:
                self._inputs[name].bind_visibility_from(self._inputs[field.needs], "value")

    def _draw(self, field: FormField) -> Any:
        if field.kind == "boolean":
            return ui.switch(field.title, value=field.default).tooltip(field.description)
        if field.kind == "array":
            names = {name: wording.product(name) for name in self._products}
            drawn: Any = ui.select(names, label=field.title, multiple=True, value=self._chosen)
            drawn.props("use-chips")
        elif field.choices:
            names = {AS_SET: AS_SET_WORDS, **{name: name for name in field.choices}}
            drawn = ui.select(names, label=field.title, value=AS_SET)
        else:
            whole = field.kind == "integer"
            drawn = ui.number(
                field.title,
                value=field.default,
                min=field.minimum,
                max=field.maximum,
                step=1 if whole else 0.01,
                precision=0 if whole else None,
            )
        drawn.props("outlined").props["hint"] = field.description
        return drawn

    def options(self) -> Asked:
        """Raises ``AnomalyOSError`` in a sentence about each wrong value."""
        return self._form.of({name: each.value for name, each in self._inputs.items()})
