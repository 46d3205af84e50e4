"""Figures as people read them."""

from __future__ import annotations

from anomalyos.core.statistics.proportion import Share, Standing
from console.ui.wording import Label, plural

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
