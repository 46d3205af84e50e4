"""The manifest: one row a file, with what it has in common with the others and with what is usual."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from anomalyos.quality.measuring import Measured
from anomalyos.quality.perceptual import near_pairs

if TYPE_CHECKING:
    from pandas import DataFrame

FEWEST_FOR_USUAL = 10
"""Below this a median says little of what is usual."""
LEAST_DEVIATION = 4.0
"""Grey values: steady light has almost none, and a cloud before the window is no fault."""
ROBUST = 1.4826
"""Makes the median absolute deviation of normal values their standard deviation."""


@dataclass(frozen=True)
class Baseline:
    """What is usual among the training images of a category."""

    images: int
    sharpness: float
    brightness: float
    deviation: float
    """Of the brightness, robust."""
    side: float = 0.0
    """Pixels of the shorter side; 0 where a check made before did not note it."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def baseline_of(rows: Sequence[Measured]) -> Baseline | None:
    """Medians over the decodable rows; None while there are too few."""
    good = [row.figures for row in rows if not row.figures.reject_code]
    if len(good) < FEWEST_FOR_USUAL:
        return None
    bright = np.array([figures.brightness for figures in good], dtype=np.float64)
    sharp = np.array([figures.sharpness for figures in good], dtype=np.float64)
    middle = float(np.median(bright))
    spread = ROBUST * float(np.median(np.abs(bright - middle)))
    side = float(np.median([min(figures.width, figures.height) for figures in good]))
    return Baseline(len(good), float(np.median(sharp)), middle, max(spread, LEAST_DEVIATION), side)


def build_manifest(rows: Sequence[Measured], usual: Baseline | None, near_bits: int) -> DataFrame:
    """One row a file, in order, with the columns

    ``file``, ``split``, ``group``, ``sha256``, ``format``, ``mode``: text;
    ``reject_reason``, ``duplicate_of``, ``near_duplicate_of``, ``test_image``: text or None;
    ``width``, ``height``, ``short_side``, ``long_side``: pixels; ``size_bytes``;
    ``sharpness``, ``brightness``, ``contrast``; ``sharpness_of_usual``, ``side_of_usual``: shares;
    ``brightness_deviations``: robust standard deviations. Numbers are float64, NaN where nothing can be said.
    """
    import pandas as pd

    records = [_record(row, usual) for row in rows]
    frame = pd.DataFrame.from_records(records, columns=list(_record_columns()))
    for name, values in (
        ("duplicate_of", _duplicates(rows)),
        ("near_duplicate_of", _near_duplicates(rows, near_bits)),
        ("test_image", _leaks(rows)),
    ):
        frame[name] = pd.Series(values, dtype=object, index=frame.index)
    return frame


def _record_columns() -> tuple[str, ...]:
    return (
        *("file", "split", "group", "sha256", "format", "mode", "reject_reason"),
        *("width", "height", "short_side", "long_side", "size_bytes"),
        *(
            "sharpness",
            "brightness",
            "contrast",
            "sharpness_of_usual",
            "brightness_deviations",
            "side_of_usual",
        ),
    )


def _record(row: Measured, usual: Baseline | None) -> dict[str, Any]:
    figures, bad = row.figures, bool(row.figures.reject_code)
    width, height = (np.nan, np.nan) if bad else (float(figures.width), float(figures.height))
    sharp, bright = _number(figures.sharpness), _number(figures.brightness)
    share = sharp / usual.sharpness if usual is not None and usual.sharpness > 0 else np.nan
    side = min(width, height) / usual.side if usual is not None and usual.side > 0 else np.nan
    away = abs(bright - usual.brightness) / usual.deviation if usual is not None else np.nan
    return {
        "file": row.file.name,
        "split": row.file.split,
        "group": row.file.group or row.file.name,
        "sha256": row.sha256,
        "format": None if bad else figures.format,
        "mode": None if bad else figures.mode,
        "reject_reason": figures.reject_reason if bad else None,
        "width": width,
        "height": height,
        "short_side": min(width, height),
        "long_side": max(width, height),
        "size_bytes": np.nan if bad else float(row.size_bytes),
        "sharpness": sharp,
        "brightness": bright,
        "contrast": _number(figures.contrast),
        "sharpness_of_usual": share,
        "side_of_usual": side,
        "brightness_deviations": away,
    }


def _number(value: float | None) -> float:
    return np.nan if value is None else float(value)


def _duplicates(rows: Sequence[Measured]) -> list[str | None]:
    """For each row the first file of the same split with the same bytes; None for that file itself."""
    first: dict[tuple[str, str], str] = {}
    found: list[str | None] = []
    for row in rows:
        name = first.setdefault((row.file.split, row.sha256), row.file.name) if row.sha256 else row.file.name
        found.append(None if name == row.file.name else name)
    return found


def _near_duplicates(rows: Sequence[Measured], bits: int) -> list[str | None]:
    """For each row the first of its split that looks almost the same and is of another group."""
    found: list[str | None] = [None] * len(rows)
    copies = _duplicates(rows)  # what is said of them already
    for split in sorted({row.file.split for row in rows}):
        places = [i for i, row in enumerate(rows) if row.file.split == split and not row.figures.reject_code]
        hashes = np.array([int(rows[i].figures.perceptual_hash, 16) for i in places], dtype=np.uint64)
        for first, second in near_pairs(hashes, bits):
            one, other = rows[places[first]], rows[places[second]]
            same_part = bool(one.file.group) and one.file.group == other.file.group
            if found[places[second]] is None and not same_part and not copies[places[second]]:
                found[places[second]] = one.file.name
    return found


def _leaks(rows: Sequence[Measured]) -> list[str | None]:
    """For each training row the test file with the same bytes."""
    tests = {row.sha256: row.file.name for row in reversed(rows) if row.file.split == "test" and row.sha256}
    return [tests.get(row.sha256) if row.file.split == "train" else None for row in rows]
