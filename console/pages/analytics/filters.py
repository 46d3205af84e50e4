"""The line above the figures: which days, which product, which line. Links and a form, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from nicegui import ui

from console.services.analytics.filter import KINDS, PATH, PRESETS, AnalyticsFilter
from console.ui import kit, wording
from console.ui.kit import Text, box


def draw(wanted: AnalyticsFilter, categories: Sequence[str], lines: Sequence[str]) -> None:
    """Native controls: they work by keyboard, and the address they lead to can be kept and sent on."""
    with box("aos-an-filters"):
        with box("aos-segments", "nav", aria_label="Range"):
            for days in PRESETS:
                target = wanted.with_days(days).address()
                kit.segment(f"{days} days", target, active=wanted.preset == days).mark(f"days-{days}")
        with box("aos-an-form", "form") as form:
            form.props(f"method=get action={PATH}")
            _day("From", "from", wanted.first)
            _day("To", "to", wanted.last)
            products = {"": "All products"} | {name: wording.product(name) for name in categories}
            _choice("Product", "category", products, wanted.category)
            found = {"": "All lines"} | {line: line for line in lines}
            _choice("Line", "line", found, wanted.line)
            _choice("Images", "kind", KINDS, wanted.kind)
            with box("aos-button", "button").props("type=submit"):
                Text("Show")
        button = kit.button("Print", icon_name="print", classes="quiet aos-an-print")
        button.on("click", js_handler="() => window.print()")


def _day(label: str, name: str, value: date) -> None:
    with _field(label):
        field = ui.element("input").classes("aos-an-input").mark(f"filter-{name}")
        field.props["type"] = "date"
        field.props["name"] = name
        field.props["value"] = value.isoformat()
        field.props["min"] = "2000-01-01"
        field.props["max"] = "2100-12-31"


def _choice(label: str, name: str, options: dict[str, str], chosen: str) -> None:
    # what the address names stays chosen even when the range holds nothing of it
    known = options if chosen in options else options | {chosen: chosen}
    with _field(label), box("aos-an-input", "select", name=name).mark(f"filter-{name}"):
        for value, text in known.items():
            Text(text, "option", value=value, selected=True if value == chosen else None)


def _field(label: str) -> ui.element:
    field = box("aos-an-field", "label")
    with field:
        Text(label)
    return field
