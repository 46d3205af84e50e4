"""What stands above the sections: the filters, as links and a form, and the five figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from nicegui import ui

from console.pages.analytics.shares import STANDINGS, counted, interval, percent, promise
from console.services.analytics.filter import KINDS, PATH, PRESETS, AnalyticsFilter
from console.services.analytics.quality_counts import QualityCounts
from console.services.analytics.report import Report
from console.texts import wording
from console.texts.wording import Label
from console.ui import kit
from console.ui.kit import Text, box


def draw_filters(wanted: AnalyticsFilter, categories: Sequence[str], lines: Sequence[str]) -> None:
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


def draw_figures(report: Report) -> None:
    total = report.total
    flags, found, alarms = total.flag_share(), total.defect_share(), total.alarm_share()
    standing = total.standing()
    days = wording.plural(report.days_with_images, "day")
    rejected = f", {total.rejected:,} could not be read" if total.rejected else ""
    with box("aos-an-figures"):
        _figure("images", "Images", f"{total.images:,}", f"on {days}{rejected}")
        _figure("flagged", "Flagged", percent(flags.value), f"{counted(flags)}, 95 %: {interval(flags)}")
        missed = f", {total.missed:,} of them not flagged" if total.missed else ""
        _figure(
            "defects", "Confirmed defects", f"{total.defects:,}", f"{percent(found.value)} of images{missed}"
        )
        _figure(
            "alarms",
            "False alarm rate",
            percent(alarms.value),
            _alarm_words(total),
            badge=STANDINGS[standing] if standing else None,
        )
        _figure(
            "open",
            "Still open",
            f"{total.open:,}",
            "flagged and not decided" if total.open else "everything flagged is decided",
            href="/" if total.open else "",
        )


def _alarm_words(total: QualityCounts) -> str:
    found = total.alarm_share()
    if not found.total:
        return "no part is known to be normal yet"
    promised = f"promised at most {promise(total.promised)}; " if total.promised is not None else ""
    return f"{promised}{counted(found)} normal parts, 95 %: {interval(found)}"


def _figure(
    name: str, label: str, value: str, words: str, *, badge: Label | None = None, href: str = ""
) -> None:
    with box("aos-card aos-an-figure-card").mark(f"figure-{name}"):
        Text(label, "div", "label")
        with box("value"):
            Text(value, classes="number")
            if badge is not None:
                kit.badge(badge)
            if href:
                kit.link("Queue", href, "aos-an-link")
        Text(words, "div", "words")
