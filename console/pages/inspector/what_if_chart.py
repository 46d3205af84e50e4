"""A week's scores as a small picture, with the threshold as a line through it."""

from __future__ import annotations

import math

from anomalyos.inspection.what_if import Bin, Week
from console.ui import wording

WIDTH, HEIGHT, FLOOR = 300.0, 118.0, 96.0
_TOP = 20.0
"""Room above the bars for the names of the two sides."""


def week_svg(week: Week, threshold: float, own: float | None) -> str:
    """Bars of scores, what people called a defect hatched and a false alarm in outline.

    Heights grow with the square root of the counts: a few flagged parts would vanish beside
    thousands of normal ones. Only numbers go into the markup.

    Args:
        threshold: where the line stands.
        own: score of the part on the page, marked below the bars.
    """
    low, high = week.bins[0].low, week.bins[-1].high
    most = max((_count(part) for part in week.bins), default=1) or 1

    def place(score: float) -> float:
        return min(WIDTH - 1, max(1.0, WIDTH * (score - low) / ((high - low) or 1.0)))

    line = place(threshold)
    bars = "".join(_bar(part, index, most, len(week.bins)) for index, part in enumerate(week.bins))
    return (
        f'<svg viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" aria-label="{_summary(week, threshold)}">'
        '<defs><pattern id="aos-hatch" width="4" height="4" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><rect class="hatch-ground" width="4" height="4"/>'
        '<rect class="hatch-line" width="1.8" height="4"/></pattern></defs>'
        f'<rect class="side normal" x="0" y="{_TOP:g}" width="{line:.1f}" height="{FLOOR - _TOP:g}"/>'
        f'<rect class="side flagged" x="{line:.1f}" y="{_TOP:g}" width="{WIDTH - line:.1f}" '
        f'height="{FLOOR - _TOP:g}"/>{bars}'
        f'<line class="floor" x1="0" x2="{WIDTH:g}" y1="{FLOOR:g}" y2="{FLOOR:g}"/>'
        f'<line class="now" x1="{place(week.threshold):.1f}" x2="{place(week.threshold):.1f}" '
        f'y1="{_TOP:g}" y2="{FLOOR:g}"/>'
        f'<line class="limit" x1="{line:.1f}" x2="{line:.1f}" y1="{_TOP - 4:g}" y2="{FLOOR + 3:g}"/>'
        f"{_names(line)}{_own(place(own)) if own is not None else ''}{_limit_name(line, threshold)}</svg>"
        f"{_legend()}"
    )


def _count(part: Bin) -> int:
    return part.defects + part.false_alarms + part.others


def _bar(part: Bin, index: int, most: int, bins: int) -> str:
    total = _count(part)
    if not total:
        return ""
    x, width = WIDTH * index / bins, WIDTH / bins
    tall = max(3.0, (FLOOR - _TOP - 3) * math.sqrt(total / most))
    drawn, y = [], FLOOR
    for kind, count in (("defect", part.defects), ("alarm", part.false_alarms), ("other", part.others)):
        share = tall * count / total
        y -= share
        if count:
            drawn.append(
                f'<rect class="bar {kind}" x="{x + 0.6:.1f}" y="{y:.1f}" width="{width - 1.2:.1f}" '
                f'height="{share:.1f}"/>'
            )
    return "".join(drawn)


def _names(line: float) -> str:
    names = ""
    if line > 52:
        names += f'<text class="name" x="{line - 5:.1f}" y="12" text-anchor="end">normal</text>'
    if line < WIDTH - 52:
        names += f'<text class="name" x="{line + 5:.1f}" y="12">flagged</text>'
    return names


def _own(x: float) -> str:
    return f'<path class="own" d="M{x:.1f} {FLOOR + 1:g} l-5 8 h10 z"/>'


def _limit_name(line: float, threshold: float) -> str:
    anchor, x = ("end", WIDTH) if line > WIDTH / 2 else ("start", 0.0)
    return (
        f'<text class="value" x="{x:g}" y="{HEIGHT - 2:g}" text-anchor="{anchor}">'
        f"threshold {wording.number(threshold)}</text>"
    )


def _summary(week: Week, threshold: float) -> str:
    above = sum(like.count for like in week.likes if like.low > threshold)
    return (
        f"Scores of {week.total} parts from {wording.number(week.bins[0].low)} to "
        f"{wording.number(max(like.high for like in week.likes))}; {above} lie above a threshold of "
        f"{wording.number(threshold)}"
    )


def _legend() -> str:
    kinds = (("defect", "defect"), ("alarm", "false alarm"), ("other", "neither"))
    marks = "".join(
        f'<span><svg viewBox="0 0 10 10" aria-hidden="true"><rect class="bar {kind}" x="0.5" y="0.5" '
        f'width="9" height="9"/></svg>{word}</span>'
        for kind, word in kinds
    )
    own = (
        '<span><svg viewBox="0 0 10 10" aria-hidden="true"><path class="own" d="M5 1 l-5 8 h10 z"/></svg>'
        "this part</span>"
    )
    return f'<div class="legend">{marks}{own}</div>'
