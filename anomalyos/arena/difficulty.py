"""How hard a picture is, and how hard the next round should be for a person.

A picture is hard when the AI's score lies near its threshold: that is where a defect is faint or a
normal part is unusual. A person's level is a weighted staircase over the latest calls: a right one
lifts it a little, a wrong one lowers it three times as much, so it settles where three of four calls
succeed (Kaernbach, 1991).
"""

from __future__ import annotations

import math
from collections.abc import Iterable

START = 0.3
"""Level of somebody who has never played; 0 is the easiest, 1 the hardest."""
UP = 0.02
DOWN = 3 * UP
REMEMBERED = 60
"""Latest calls that count."""
_WIDTH = 0.35
"""Log-ratio of score and threshold at which hardness has fallen to 1/e."""


def hardness(score: float, threshold: float) -> float:
    """In (0, 1]: 1 at the threshold, falling with the ratio of score and threshold either way."""
    if score <= 0 or threshold <= 0:
        return math.exp(-abs(score - threshold) / _WIDTH)
    return math.exp(-abs(math.log(score / threshold)) / _WIDTH)


def level(outcomes: Iterable[bool]) -> float:
    """A person's level in [0, 1] after ``outcomes`` (right or not), oldest first."""
    value = START
    for right in list(outcomes)[-REMEMBERED:]:
        value = min(1.0, max(0.0, value + (UP if right else -DOWN)))
    return round(value, 6)


def level_in_words(value: float) -> str:
    return ("gentle", "moderate", "hard", "very hard")[min(3, int(value * 4))]
