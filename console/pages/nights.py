"""All nights and live days in one list, newest first."""

from __future__ import annotations

from anomalyos.inspection.tables import BatchKind
from console.components.night_head import tally_bar
from console.components.visitor import Visitor
from console.container import Services
from console.services.blocking import run_blocking
from console.services.nights import NightRow
from console.texts import wording
from console.ui import kit
from console.ui.kit import Text, box
from console.ui.theme import frame

PAGE = 30


async def nights(services: Services, visitor: Visitor, offset: int = 0) -> None:
    start = max(0, offset)
    rows = await run_blocking(services.inspections.nights, kind=None, limit=PAGE, offset=start)
    total = await run_blocking(services.inspections.night_count)
    with frame("Nights", visitor.person, mode="/", open_items=visitor.open_items), box("aos-page"):
        Text("Nights", "h1", "aos-title")
        Text("Every batch that was inspected, and what is left to decide in it.", "p", "aos-subtitle")
        if not rows:
            kit.empty_state("nights_stay", "No night yet", "The first one appears after a nightly run.")
            return
        _table(rows)
        _pager(start, len(rows), total)


def _table(rows: list[NightRow]) -> None:
    with box("aos-nights"):
        with box("aos-night-row headrow"):
            for title, classes in (
                ("Day", ""),
                ("Inspected", ""),
                ("Flagged", "aos-num"),
                ("Rejected", "aos-num"),
                ("To decide", "aos-num"),
            ):
                Text(title, classes=classes)
        for row in rows:
            _row(row)


def _row(row: NightRow) -> None:
    with box("aos-night-row", "a", href=f"/?batch={row.key}"):
        with box():
            Text(wording.short_day(row.day), "div", "aos-item-name")
            Text("Night" if row.kind == BatchKind.NIGHTLY else "Live uploads", "div", "aos-item-sub")
        with box():
            tally_bar(row)
            Text(inspected_text(row), "div", "aos-item-sub").style("margin-top: 5px")
        Text(f"{row.flagged:,}", classes="aos-num")
        Text(f"{row.rejected:,}", classes="aos-num")
        if row.undecided:
            with box("aos-num"), box("aos-badge tone-flagged", "span"):
                kit.icon("flag")
                Text(f"{row.undecided:,} open")
        else:
            with box("aos-num"), box("aos-badge tone-normal", "span"):
                kit.icon("check")
                Text("done")


def inspected_text(row: NightRow) -> str:
    """``128 images``, or how far a night that is still running has come."""
    if row.kind == BatchKind.NIGHTLY and row.finished_at is None and row.expected > row.total:
        return f"{row.total:,} of {row.expected:,} so far"
    return wording.plural(row.total, "image")


def _pager(start: int, shown: int, total: int) -> None:
    if total <= PAGE:
        return
    with box("aos-pager"):
        Text(f"{start + 1}–{start + shown} of {total}")
        with box("aos-pager-buttons"):
            if start > 0:
                kit.link("Newer", f"/nights?offset={max(0, start - PAGE)}", "aos-button small")
            if start + shown < total:
                kit.link("Older", f"/nights?offset={start + PAGE}", "aos-button small")
