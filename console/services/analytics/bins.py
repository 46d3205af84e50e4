"""Days put together so that a chart never has more than some hundred points."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

_DAYS_AT_MOST = 120
_WEEKS_AT_MOST = 7 * 156


class Step(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True)
class Bins:
    """Consecutive days, weeks from Monday, or months; empty ones in between are among them."""

    step: Step
    starts: tuple[date, ...]

    def start_of(self, day: date) -> date:
        if self.step is Step.WEEK:
            return day - timedelta(days=day.weekday())
        return day.replace(day=1) if self.step is Step.MONTH else day

    def label(self, start: date) -> str:
        """For an axis: ``24 Nov``, ``Nov 2026``."""
        return f"{start:%b %Y}" if self.step is Step.MONTH else f"{start.day} {start:%b}"

    def name(self, start: date) -> str:
        """For a sentence: ``Tue 24 Nov 2026``, ``Week from 23 Nov 2026``, ``November 2026``."""
        if self.step is Step.MONTH:
            return f"{start:%B %Y}"
        long = f"{start.day} {start:%b %Y}"
        return f"Week from {long}" if self.step is Step.WEEK else f"{start:%a} {long}"


def bins(days: Iterable[date], span: int) -> Bins:
    """Bins from the first to the last of ``days``.

    Args:
        span: days of the whole range asked for, which decides how wide the bins are.
    """
    step = Step.DAY if span <= _DAYS_AT_MOST else Step.WEEK if span <= _WEEKS_AT_MOST else Step.MONTH
    empty = Bins(step, ())
    found = sorted({empty.start_of(day) for day in days})
    if not found:
        return empty
    starts = [found[0]]
    while starts[-1] < found[-1]:
        starts.append(empty.start_of(_after(starts[-1], step)))
    return Bins(step, tuple(starts))


def _after(start: date, step: Step) -> date:
    return start + timedelta(days={Step.DAY: 1, Step.WEEK: 7, Step.MONTH: 31}[step])
