"""Words people read: verdicts, decisions, reasons. One place, so every page says the same thing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from anomalyos.inspection.tables import BatchKind, Decision, Verdict


@dataclass(frozen=True)
class Label:
    """A word with its icon (Material Symbols) and tone: meaning never hangs on colour alone."""

    word: str
    icon: str
    tone: str


VERDICTS: dict[str, Label] = {
    Verdict.NORMAL: Label("Normal", "check_circle", "normal"),
    Verdict.ANOMALOUS: Label("Flagged", "flag", "flagged"),
    Verdict.UNKNOWN_CATEGORY: Label("Unknown category", "help", "unknown"),
    Verdict.REJECTED: Label("Rejected", "block", "rejected"),
}

DECISIONS: dict[str, Label] = {
    Decision.DEFECT: Label("Defect", "dangerous", "defect"),
    Decision.FALSE_ALARM: Label("False alarm", "task_alt", "normal"),
    Decision.UNSURE: Label("Unsure", "contact_support", "unsure"),
    Decision.WITHDRAWN: Label("Withdrawn", "undo", "rejected"),
}

NEXT_STEPS: dict[str, str] = {
    "empty": "The file holds nothing. Check the camera's export and send it again.",
    "too_large": "Save it smaller, or ask an administrator to raise the limit.",
    "too_many_pixels": "Scale it down, or ask an administrator to raise the limit.",
    "not_an_image": "Choose a PNG, JPEG, BMP, TIFF or WebP photo.",
    "truncated": "The file was cut off on its way. Copy it from the camera again.",
    "unsupported": "Save it as PNG or JPEG and try again.",
    "trailing_data": "Something is appended to the image. Export it again from the camera.",
    "too_small": "Take the photo at a higher resolution.",
}

STAGES: dict[str, str] = {
    "decode": "Opening the image",
    "route": "Recognising the product",
    "features": "Reading its texture",
    "search": "Comparing with normal parts",
    "map": "Drawing the heat map",
    "store": "Keeping the result",
}

DRAWN_DEFECTS: dict[str, str] = {
    "paste": "Pasted piece",
    "shift": "Shifted part",
    "missing": "Missing part",
    "texture": "Other texture",
    "blob": "Spot",
    "scratch": "Scratch",
    "blur": "Blur",
    "brightness": "Brightness",
}
"""Kinds of defects that recipes are compared on."""


def verdict_label(verdict: str) -> Label:
    return VERDICTS[verdict]


def decision_label(decision: str) -> Label:
    return DECISIONS[decision]


def plural(count: int, singular: str, many: str = "") -> str:
    """``1 image``, ``3 images``, ``1,204 images``."""
    return f"{count:,} {singular if count == 1 else many or singular + 's'}"


def long_day(day: str) -> str:
    """``2026-11-24`` as ``Tuesday, 24 November 2026``; anything else unchanged."""
    return _day(day, "{0:%A}, {0.day} {0:%B %Y}")


def weekday_day(day: str) -> str:
    """``2026-11-24`` as ``Tue, 24 November 2026``; anything else unchanged."""
    return _day(day, "{0:%a}, {0.day} {0:%B %Y}")


def short_day(day: str) -> str:
    """``2026-11-24`` as ``Tue 24 Nov 2026``; anything else unchanged."""
    return _day(day, "{0:%a} {0.day} {0:%b %Y}")


def _day(day: str, pattern: str) -> str:
    try:
        return pattern.format(date.fromisoformat(day))
    except ValueError:
        return day


def product(name: str) -> str:
    """A category's name for reading: ``sample_bottle_cap`` as ``Bottle cap``; empty is unknown."""
    if not name:
        return "Unknown product"
    words = name.removeprefix("sample_").replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:]


def batch_title(kind: str, day: str) -> str:
    return f"Night of {long_day(day)}" if kind == BatchKind.NIGHTLY else f"Live on {long_day(day)}"


def moment(when: datetime) -> str:
    """A point in time in UTC, which is what the server keeps: ``24 Nov 2026, 06:12 UTC``."""
    utc = when.astimezone(UTC)
    return f"{utc.day} {utc:%b %Y, %H:%M} UTC"


def milliseconds(value: float) -> str:
    """``38 ms`` or ``1.24 s``."""
    return f"{value:.0f} ms" if value < 1000 else f"{value / 1000:.2f} s"


def duration(seconds: float) -> str:
    """``9 s``, ``1 min 30 s`` or ``2 h 5 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def number(value: float | None) -> str:
    """Four significant digits, enough to tell two scores apart and short enough to read."""
    return "–" if value is None else f"{value:.4g}"
