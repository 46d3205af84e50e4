"""What a suite asks of a manifest: each rule as clauses over its columns, with the words for a violation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from anomalyos.quality.suite import Occasion, Severity, Suite

Row = Mapping[str, Any]
"""One line of the manifest by column."""

NAMES = {
    "decodable": "Can be decoded",
    "size": "Size in pixels",
    "mode": "Colour model",
    "bytes": "Size of the file",
    "sharpness": "Sharpness",
    "brightness": "Brightness and contrast",
    "duplicates": "No duplicates",
    "near_duplicates": "No near-duplicates",
    "leaks": "Not among the test images",
    "enough_images": "Enough images",
}
"""What people call the rules, in the order they are shown."""


@dataclass(frozen=True)
class Clause:
    """One thing asked of one column of every row; of the number of rows when there is no column."""

    rule: str
    kind: Literal["null", "between", "among", "rows"]
    severity: Severity
    words: Callable[[Row], str]
    column: str = ""
    low: float | None = None
    high: float | None = None
    allowed: tuple[str, ...] = ()
    tolerated: float | None = None
    """For a clause that stops the batch: the share of violations it puts up with."""
    aspect: str = ""
    """What people call this clause where its rule has several."""

    @property
    def title(self) -> str:
        return self.aspect or NAMES[self.rule]

    @property
    def stops(self) -> bool:
        """Whether a violation of the clause stops the batch."""
        return self.severity == "stop"


def row_clauses(suite: Suite, occasion: Occasion) -> list[Clause]:
    """What is asked of each image, and after each clause how many may violate it before all stops."""
    found: list[Clause] = []
    for clause in _clauses(suite, occasion):
        if clause.severity == "skip":
            continue
        found.append(clause)
        above = getattr(suite, clause.rule).stop_above(occasion)
        if above is not None and not clause.stops:
            found.append(_tolerant(clause, above))
    return found


def count_clauses(suite: Suite, occasion: Occasion) -> list[Clause]:
    """What is asked of the number of images that are left."""
    rule = suite.enough_images
    severity = rule.severity(occasion)
    if severity == "skip":
        return []
    return [
        Clause(
            "enough_images",
            "rows",
            severity,
            lambda row: (
                f"{row['rows']} readable normal images are left; at least {rule.least} are needed to learn "
                "what normal looks like, and 50 or more are better."
                if occasion == "learning"
                else f"{row['rows']} images were delivered; {rule.least} or more are expected."
            ),
            low=rule.least,
        )
    ]


def _tolerant(clause: Clause, above: float) -> Clause:
    return replace(clause, severity="stop", tolerated=above)


def _clauses(suite: Suite, occasion: Occasion) -> Iterator[Clause]:
    yield from _file_clauses(suite, occasion)
    yield from _picture_clauses(suite, occasion)
    yield from _copy_clauses(suite, occasion)


def _file_clauses(suite: Suite, occasion: Occasion) -> Iterator[Clause]:
    yield Clause(
        "decodable",
        "null",
        suite.decodable.severity(occasion),
        lambda row: str(row["reject_reason"]),
        "reject_reason",
    )
    size, severity = suite.size, suite.size.severity(occasion)

    def sides(row: Row) -> str:
        return (
            f"It has {row['width']:.0f} x {row['height']:.0f} pixels; sides of {size.shortest} to "
            f"{size.longest} are expected."
        )

    yield Clause("size", "between", severity, sides, "short_side", low=size.shortest, aspect="Shorter side")
    yield Clause("size", "between", severity, sides, "long_side", high=size.longest, aspect="Longer side")
    if size.least_of_usual > 0:
        yield Clause(
            "size",
            "between",
            severity,
            lambda row: (
                f"It has {row['width']:.0f} x {row['height']:.0f} pixels: {row['side_of_usual']:.0%} of the "
                f"usual side, at least {size.least_of_usual:.0%} is expected."
            ),
            "side_of_usual",
            low=size.least_of_usual,
            aspect="As large as usual",
        )
    mode = suite.mode
    yield Clause(
        "mode",
        "among",
        mode.severity(occasion),
        lambda row: f"Its colour model is {row['mode']}; expected is one of {', '.join(mode.allowed)}.",
        "mode",
        allowed=mode.allowed,
    )
    length = suite.bytes
    yield Clause(
        "bytes",
        "between",
        length.severity(occasion),
        lambda row: (
            f"The file has {row['size_bytes']:,.0f} bytes; {length.least:,} to {length.most:,} are expected."
        ),
        "size_bytes",
        low=length.least,
        high=length.most,
    )


def _picture_clauses(suite: Suite, occasion: Occasion) -> Iterator[Clause]:
    sharp, severity = suite.sharpness, suite.sharpness.severity(occasion)
    if sharp.least > 0:
        yield Clause(
            "sharpness",
            "between",
            severity,
            lambda row: (
                f"It is blurred: sharpness {row['sharpness']:.1f}, at least {sharp.least:g} is expected."
            ),
            "sharpness",
            low=sharp.least,
        )
    if sharp.least_of_usual > 0:
        yield Clause(
            "sharpness",
            "between",
            severity,
            lambda row: (
                f"It is blurred: {row['sharpness_of_usual']:.1%} of the usual sharpness, at least "
                f"{sharp.least_of_usual:.0%} is expected."
            ),
            "sharpness_of_usual",
            low=sharp.least_of_usual,
            aspect="As sharp as usual",
        )
    light, severity = suite.brightness, suite.brightness.severity(occasion)
    yield Clause(
        "brightness",
        "between",
        severity,
        _light_words,
        "brightness",
        low=light.darkest,
        high=light.brightest,
        aspect="Brightness",
    )
    yield Clause(
        "brightness",
        "between",
        severity,
        lambda row: f"It is almost one flat tone: contrast {row['contrast']:.1f} of 255 grey values.",
        "contrast",
        low=light.least_contrast,
        aspect="Contrast",
    )
    yield Clause(
        "brightness",
        "between",
        severity,
        lambda row: (
            f"Its brightness of {row['brightness']:.0f} is {row['brightness_deviations']:.1f} deviations "
            f"from what is usual; up to {light.deviations:g} are expected."
        ),
        "brightness_deviations",
        high=light.deviations,
        aspect="As bright as usual",
    )


def _light_words(row: Row) -> str:
    kind = "dark" if row["brightness"] < 128 else "bright"
    return (
        f"It is almost {'black' if kind == 'dark' else 'white'}: brightness {row['brightness']:.1f} of 255."
    )


def _copy_clauses(suite: Suite, occasion: Occasion) -> Iterator[Clause]:
    yield Clause(
        "duplicates",
        "null",
        suite.duplicates.severity(occasion),
        lambda row: f"It is the same file as {row['duplicate_of']}.",
        "duplicate_of",
    )
    yield Clause(
        "near_duplicates",
        "null",
        suite.near_duplicates.severity(occasion),
        lambda row: f"It looks almost the same as {row['near_duplicate_of']}.",
        "near_duplicate_of",
    )
    yield Clause(
        "leaks",
        "null",
        suite.leaks.severity(occasion),
        lambda row: f"It is also the test image {row['test_image']}: figures measured with it flatter.",
        "test_image",
    )
