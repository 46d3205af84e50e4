"""One section of the page: a title, what it says in a sentence, a picture, and the figures as a table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from nicegui import ui

from anomalyos.accounts.tables import Role
from console.components.visitor import reauthorize
from console.container import Services
from console.services.analytics.report import Report
from console.services.analytics.tables import TABLES
from console.services.csv_table import Cell, Table
from console.ui import kit
from console.ui.kit import Text, box
from console.ui.theme import Frame

_ROWS_SHOWN = 120


@dataclass(frozen=True)
class View:
    """What every section is drawn from."""

    services: Services
    shell: Frame
    report: Report


@contextmanager
def section(
    view: View, title: str, reading: str, *, table: str = "", note: str = "", wide: bool = False
) -> Iterator[None]:
    """Draw the frame of a section around its picture.

    Args:
        reading: the one sentence to take away.
        table: name in ``TABLES`` of the figures behind the picture; none without.
        note: how it is measured, in small print.
    """
    with box("aos-card aos-an-section" + (" wide" if wide else ""), "section", aria_label=title).mark(
        f"section-{table}"
    ):
        with box("aos-an-head"):
            Text(title, "h2")
            if table:
                _csv_link(view, title, table)
        Text(reading, "p", "aos-an-reading")
        yield
        if note:
            Text(note, "p", "aos-an-note")
        if table:
            _table_details(view, title, table)


def nothing(text: str) -> None:
    """In place of a picture there is no data for."""
    with box("aos-an-nothing"):
        kit.icon("hourglass_empty")
        Text(text, "p")


def _csv_link(view: View, title: str, table: str) -> None:
    link = kit.link(
        "CSV",
        view.report.wanted.export_address(table),
        "aos-button small quiet",
        "download",
        aria_label=f"CSV of {title}",
        download="",
    )
    link.mark(f"csv-{table}")


def _table_details(view: View, title: str, table: str) -> None:
    """Drawn when it is first opened: a page full of tables would be slow for everybody."""
    with box("aos-an-details", "details").mark(f"table-{table}") as details:
        Text("Show as table", "summary")
        holder = box("aos-an-scroll", aria_label=f"Table: {title}").props("tabindex=0 role=region")

    async def opened() -> None:
        if holder.default_slot.children or not await reauthorize(view.services, view.shell, Role.VIEWER):
            return
        with holder:
            _draw_table(TABLES[table](view.report), title)

    details.on("toggle", opened, [])


def _draw_table(table: Table, title: str) -> None:
    with box("aos-an-grid", "table"):
        Text(title, "caption")
        with box(tag="thead"), box(tag="tr"):
            for name in table.header:
                Text(name, "th").props("scope=col")
        with box(tag="tbody"):
            for row in table.rows[:_ROWS_SHOWN]:
                with box(tag="tr"):
                    for value in row:
                        Text(_cell(value), "td", "" if isinstance(value, str) else "aos-num")
    if not table.rows:
        Text("Nothing in this range.", "p", "aos-muted aos-small")
    elif len(table.rows) > _ROWS_SHOWN:
        Text(
            f"The first {_ROWS_SHOWN} of {len(table.rows):,} rows; the CSV file holds all.",
            "p",
            "aos-an-note",
        )


def _cell(value: Cell) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value:,.4g}" if isinstance(value, float) else f"{value:,}"
    return value if isinstance(value, str) else f"{value:%d %b %Y, %H:%M}"


def aligned(content: str = "") -> ui.element:
    """The two-column grid sections stand in."""
    return box(f"aos-an-sections {content}")
