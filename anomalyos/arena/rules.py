"""What an answer is worth.

Points of one call = right 100
                   + speed, up to 50, linear in the share of the time that is left
                   + place, up to 50, for pointing at a defect: all of it inside, falling in a straight
                     line to nothing ``PLACE_REACH`` of the picture's diagonal away
                   + streak, 10 for each right call in a row before this one, at most 50
                   + beat, 25 when the AI was wrong.

A wrong or missing answer is worth nothing and ends the streak. Points are never negative.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

PICTURES = 10
"""Calls in one round."""
SECONDS = 20.0
"""Time for one call."""
GRACE = 1.0
"""Seconds an answer may be late because it had to travel; it earns no speed any more."""
RIGHT, SPEED, PLACE, BEAT = 100, 50, 50, 25
STREAK_STEP, STREAK_MOST = 10, 50
PLACE_REACH = 0.15


class Call(StrEnum):
    """What somebody says of a picture."""

    NORMAL = "normal"
    DEFECT = "defect"
    NONE = ""
    """Nothing in time."""


@dataclass(frozen=True)
class Points:
    """The parts of what one call earned."""

    right: int = 0
    speed: int = 0
    place: int = 0
    streak: int = 0
    beat: int = 0

    @property
    def total(self) -> int:
        return self.right + self.speed + self.place + self.streak + self.beat

    def as_dict(self) -> dict[str, int]:
        """The parts that are worth something, by name."""
        parts = {
            "right": self.right,
            "speed": self.speed,
            "place": self.place,
            "streak": self.streak,
            "beat": self.beat,
        }
        return {name: value for name, value in parts.items() if value}


def points(
    *,
    said: Call,
    defective: bool,
    ai_right: bool,
    seconds: float,
    distance: float | None,
    streak: int,
) -> Points:
    """Points of one call.

    Args:
        seconds: from showing the picture to the answer, on the server's clock.
        distance: of the person's mark from the defect, as a share of the diagonal; 0 is inside, None
            without a mark or where nobody knows the place.
        streak: right calls in a row just before this one.
    """
    if said is Call.NONE or (said is Call.DEFECT) != defective:
        return Points()
    left = min(1.0, max(0.0, 1 - seconds / SECONDS))
    return Points(
        right=RIGHT,
        speed=round(SPEED * left),
        place=place_points(distance) if defective else 0,
        streak=min(STREAK_MOST, STREAK_STEP * max(0, streak)),
        beat=0 if ai_right else BEAT,
    )


def place_points(distance: float | None) -> int:
    """0 to ``PLACE`` for a mark ``distance`` diagonals away from the defect."""
    if distance is None:
        return 0
    return round(PLACE * max(0.0, 1 - max(0.0, distance) / PLACE_REACH))


def too_late(seconds: float) -> bool:
    """Whether an answer after so many seconds counts as none."""
    return seconds > SECONDS + GRACE


def longest_streak(results: Iterable[bool]) -> int:
    """The most right calls in a row."""
    best = now = 0
    for right in results:
        now = now + 1 if right else 0
        best = max(best, now)
    return best


def closing_streak(results: Iterable[bool]) -> int:
    """Right calls in a row at the end."""
    now = 0
    for right in results:
        now = now + 1 if right else 0
    return now


def days_in_a_row(days: Iterable[str], today: str) -> int:
    """Days on end with a daily challenge played, up to today or, before today's is played, yesterday.

    Args:
        days: ISO dates of finished challenges, in any order.
    """
    played = set(days)
    day = date.fromisoformat(today)
    if day.isoformat() not in played:
        day -= timedelta(days=1)
    count = 0
    while day.isoformat() in played:
        count += 1
        day -= timedelta(days=1)
    return count
