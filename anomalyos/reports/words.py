"""Text from people and files made fit to be quoted, and numbers as a tired reader wants them."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 600
"""Characters of one quoted text: a longer note is cut, visibly."""

_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def clean(text: object, limit: int = LONGEST, *, keep_quotes: bool = False) -> str:
    """One line without control characters, direction overrides or lone surrogates.

    Double quotation marks become single ones unless they are to be kept, so quoted text cannot end its
    own quotation.
    """
    shown = "".join(
        " " if c.isspace() else c for c in str(text) if c.isspace() or unicodedata.category(c) not in _HIDDEN
    )
    for mark in "" if keep_quotes else '"“”„‟':
        shown = shown.replace(mark, "'")
    shown = " ".join(shown.split())
    return shown if len(shown) <= limit else shown[: limit - 1].rstrip() + "…"


def quoted(text: object, limit: int = LONGEST) -> str:
    """Somebody else's words, marked as such."""
    return f"“{clean(text, limit)}”"


def number(value: float) -> str:
    """Three significant digits, never an exponent: ``41.2``, ``0.0312``, ``12900``."""
    if value == 0 or abs(value) < 1e-6:
        return "0"
    if abs(value) >= 100:
        return str(round(value))
    digits = f"{value:.3g}"
    return f"{value:.9f}".rstrip("0") if "e" in digits else digits


def percent(share: float) -> str:
    """``62 %``; never 0 % or 100 % for what is merely unlikely or likely."""
    if 0 < share < 0.01:
        return "under 1 %"
    if 0.99 < share < 1:
        return "over 99 %"
    return f"{round(share * 100)} %"


def many(count: int, one: str, more: str = "") -> str:
    """``1 case``, ``3 cases``."""
    return f"{count} {one if count == 1 else more or one + 's'}"


def joined(parts: list[str]) -> str:
    """``a, b and c``."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def numbers_in(text: str) -> list[str]:
    """Every number written with digits, as it is written: ``1.35``, ``62``."""
    return _NUMBER.findall(text)
