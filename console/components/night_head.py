"""The line above the Inspector: which night, how far it is, and the ways through it."""

from __future__ import annotations

from nicegui import ui

from anomalyos.inspection.tables import BatchKind
from console.container import Services
from console.services.blocking import run_blocking
from console.services.nights import EVERY_NIGHT, NightRow
from console.texts import wording
from console.ui import kit
from console.ui.kit import Text, box, segment

QUEUE, REJECTED, CHECKS, LIVE = "queue", "rejected", "checks", "live"
_ADDRESSES = {REJECTED: "/rejected", CHECKS: "/checks"}


class Head:
    """Night picker, tally and tabs; ``show`` redraws the figures."""

    def __init__(self, services: Services, tab: str) -> None:
        self._services = services
        self._tab = tab
        with box("aos-head"):
            self._night = box()
            self._tally = box("aos-tally")
            self._tabs = box("aos-segments", "nav")

    async def show(self, night: NightRow | None) -> None:
        """Draw the figures of ``night``, or the frame of a console that has seen none."""
        nights = await run_blocking(self._services.inspections.nights, limit=12)
        for part in (self._night, self._tally, self._tabs):
            part.clear()
        with self._night:
            _picker(night, nights, self._tab)
        with self._tally:
            if night is not None and self._tab != LIVE:
                tally(night)
        with self._tabs:
            self._draw_tabs(night)

    def _draw_tabs(self, night: NightRow | None) -> None:
        query = f"?batch={night.key}" if night is not None else ""
        one = query if night is not None and night.key != EVERY_NIGHT else ""
        undecided = night.undecided if night is not None else None
        rejected = night.rejected if night is not None else None
        segment("Queue", f"/{query}", active=self._tab == QUEUE, count=undecided)
        segment("Rejected", f"/rejected{one}", active=self._tab == REJECTED, count=rejected if one else None)
        segment("Data checks", f"/checks{one}", active=self._tab == CHECKS)
        segment("Live", "/live", active=self._tab == LIVE)


def _picker(night: NightRow | None, nights: list[NightRow], tab: str) -> None:
    title = "Live inspection" if tab == LIVE else _title(night)
    if not nights and tab != LIVE:
        title = "No night yet"
    if tab == LIVE or not nights:
        Text(title, "h1", "aos-night-title")
        return
    with kit.press("aos-night", aria_haspopup="menu").mark("night-picker"):
        kit.icon("bedtime" if night is None or night.kind == BatchKind.NIGHTLY else "bolt")
        Text(title, "h1", "aos-night-title")
        kit.icon("expand_more")
        ui.tooltip("Choose another night")
        with ui.menu(), box("aos-menu"):
            if tab == QUEUE:
                _every_night_item(active=night is not None and night.key == EVERY_NIGHT)
            for row in nights:
                _menu_item(row, active=night is not None and row.key == night.key, tab=tab)
            with box("aos-menu-item", "a", href="/nights"):
                kit.icon("nights_stay")
                Text("All nights")


def _title(night: NightRow | None) -> str:
    if night is None:
        return "Choose a night"
    if night.key == EVERY_NIGHT:
        return "Every night"
    if night.kind == BatchKind.LIVE:
        return f"Live, {wording.short_day(night.day)}"
    return wording.weekday_day(night.day)


def _every_night_item(*, active: bool) -> None:
    with box("aos-menu-item" + (" active" if active else ""), "a", href=f"/?batch={EVERY_NIGHT}") as item:
        item.mark("every-night")
        kit.icon("inbox")
        Text("Open items of every night", classes="grow")


def _menu_item(row: NightRow, *, active: bool, tab: str) -> None:
    with box(
        "aos-menu-item" + (" active" if active else ""),
        "a",
        href=f"{_ADDRESSES.get(tab, '/')}?batch={row.key}",
    ):
        Text(wording.short_day(row.day), classes="grow")
        Text(f"{row.undecided} to decide" if row.undecided else "done", classes="aos-muted aos-small")


def tally(row: NightRow) -> None:
    """Counts of one batch as a bar and in words."""
    tally_bar(row)
    decided = row.flagged - row.undecided
    with box("aos-legend").mark("tally"):
        _count(row.total, "inspected", "", expected=row.expected if row.finished_at is None else 0)
        _count(row.flagged, "flagged", "")
        _count(row.undecided, "to decide", "tone-flagged")
        _count(decided, "decided", "tone-normal")
        _count(row.rejected, "rejected", "tone-rejected")


def _count(count: int, word: str, tone: str, *, expected: int = 0) -> None:
    with box("", "span"):
        if tone:
            box(f"aos-dot {tone}", "i")
        Text(f"{count:,}", "b")
        Text(f" of {expected:,} {word}" if expected > count else f" {word}")


def tally_bar(row: NightRow) -> None:
    """Shares of a batch: to decide, decided, rejected, and the quiet rest."""
    decided = row.flagged - row.undecided
    with box("aos-bar").props("aria-hidden=true"):
        for count, classes in (
            (row.undecided, "tone-flagged"),
            (decided, "done"),
            (row.rejected, "tone-rejected"),
            (row.total - row.flagged - row.rejected, "rest"),
        ):
            if count > 0:
                box(classes).style(f"flex: {count} 1 0")
