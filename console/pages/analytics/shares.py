"""Shares as people read them: in words, and as rows of bars with whiskers drawn as plain boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from anomalyos.core.statistics.proportion import Share, Standing
from console.texts.wording import Label, plural
from console.ui import kit
from console.ui.kit import Text, box

STANDINGS: dict[Standing, Label] = {
    Standing.KEPT: Label("Promise kept", "verified", "normal"),
    Standing.NOT_SHOWN: Label("Too few to tell", "pending", "rejected"),
    Standing.BROKEN: Label("Promise broken", "gpp_bad", "defect"),
}
DASH = "–"
PERCENT = "\u00a0%"
"""The sign never stands alone at the start of a line."""


def percent(value: float | None) -> str:
    """``5.0 %``, ``0.34 %``, ``100 %``; a dash for None."""
    if value is None:
        return DASH
    hundredths = 100 * value
    if hundredths and hundredths < 0.995:
        return f"{hundredths:.2f}{PERCENT}"
    return f"{hundredths:.1f}{PERCENT}" if hundredths < 99.95 else f"100{PERCENT}"


def promise(value: float | None) -> str:
    """A promised share without needless zeros: ``5 %``, ``1.64 %``."""
    return DASH if value is None else f"{100 * value:.3g}{PERCENT}"


def interval(found: Share) -> str:
    """``2.6 % to 8.6 %``."""
    return f"{percent(found.low)} to {percent(found.high)}" if found.total else DASH


def counted(found: Share, what: str = "") -> str:
    """``12 of 240``, with what was counted when it is given."""
    return f"{found.hits:,} of {plural(found.total, what) if what else f'{found.total:,}'}"


def seconds(value: float) -> str:
    """``under 0.1 s``, ``0.4 s``, ``12 s``, ``2 min 5 s``."""
    if value < 0.1:
        return "under 0.1 s"
    if value < 10:
        return f"{value:.1f} s"
    whole = round(value)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"


def signed(value: float | None) -> str:
    """Kappa: ``0.56``, ``−0.08``."""
    return DASH if value is None else f"{value:.2f}".replace("-", "−")


@dataclass(frozen=True)
class Row:
    """One bar from the left end to ``value``, with a whisker from ``low`` to ``high``."""

    name: str
    value: float | None
    low: float
    high: float
    words: str
    """The figure itself, at the right."""
    detail: str = ""
    """Small print under the figure."""
    tick: float | None = None
    """A mark to compare with: the promise."""
    badge: Label | None = None
    href: str = ""


def draw_rows(
    rows: Sequence[Row], *, tone: str, scale: tuple[float, float], ends: tuple[str, str], columns: int = 1
) -> None:
    """The rows over one common scale.

    Args:
        tone: of the bars: flagged, defect, accent.
        scale: values at the left and right end; what lies beyond is cut there.
        ends: the words under them.
        columns: read downwards, one after the other.
    """
    length = -(-len(rows) // columns)
    with box("aos-an-columns" if columns > 1 else ""):
        for start in range(0, len(rows), length):
            with box(f"aos-an-rows tone-{tone}"):
                for row in rows[start : start + length]:
                    _draw_row(row, scale)
                _draw_ends(ends)


def _draw_ends(ends: tuple[str, str]) -> None:
    with box("aos-an-row ends").props("aria-hidden=true"):
        box()
        with box("aos-an-ends"):
            Text(ends[0])
            Text(ends[1])
        box()


def _draw_row(row: Row, scale: tuple[float, float]) -> None:
    with box("aos-an-row"):
        with box("aos-an-name"):
            if row.href:
                kit.link(row.name, row.href, "aos-an-link")
            else:
                Text(row.name)
            if row.badge is not None:
                kit.badge(row.badge)
        with box("aos-an-track").props("aria-hidden=true"):
            _draw_bar(row, scale)
        with box("aos-an-figure"):
            Text(row.words, "div", "words")
            if row.detail:
                Text(row.detail, "div", "detail")


def _draw_bar(row: Row, scale: tuple[float, float]) -> None:
    if row.value is not None:
        zero = _place(max(0.0, scale[0]), scale)
        end = _place(row.value, scale)
        box("bar").style(f"left: {min(zero, end):.2f}%; width: {abs(end - zero):.2f}%")
        low, high = _place(row.low, scale), _place(row.high, scale)
        box("whisker").style(f"left: {low:.2f}%; width: {high - low:.2f}%")
    if row.tick is not None:
        box("tick").style(f"left: {_place(row.tick, scale):.2f}%")


def _place(value: float, scale: tuple[float, float]) -> float:
    """Percent from the left."""
    start, end = scale
    return 100 * min(1.0, max(0.0, (value - start) / (end - start)))
