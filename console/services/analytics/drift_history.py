"""What the drift reports of a selection say: the last of each product and day, and what is made up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlmodel import Session

from anomalyos.drift import checks as drift_checks
from anomalyos.drift import records as drift_records
from anomalyos.drift.tables import DriftAlarm, DriftCheck

METRICS = {
    "score": "anomaly score",
    "category": "predicted product",
    "brightness": "brightness",
    "sharpness": "sharpness",
    "embedding": "whole look",
}


@dataclass(frozen=True)
class DriftHistory:
    checks: list[DriftCheck]
    """By day, then as they were made; one a product and day."""
    injected: dict[str, int]
    """Injected records by product, where there are some."""
    alarms: dict[str, DriftAlarm]
    """The last drift of each product that was let through to retraining."""

    def newest(self) -> dict[str, DriftCheck]:
        """The last comparison of each product, by name."""
        found = {check.category: check for check in self.checks}
        return dict(sorted(found.items()))


def history(session: Session, categories: Iterable[str], first: str, last: str) -> DriftHistory:
    """Everything of these categories from ``first`` to ``last`` (ISO dates, both included)."""
    names = list(categories)
    return DriftHistory(
        drift_checks.history(session, names, first, last),
        drift_records.count_injected(session, names),
        drift_checks.newest_alarms(session, names),
    )


def times(figure: dict[str, object]) -> float:
    """A distance in thresholds: drift begins at 1."""
    return float(str(figure["value"])) / float(str(figure["threshold"]))


def largest(check: DriftCheck) -> tuple[str, float] | None:
    """The metric farthest beyond its threshold and by how many times; None when nothing was compared."""
    if not check.figures:
        return None
    worst = drift_checks.largest(check.figures)
    return str(worst["metric"]), times(worst)


def in_times(value: float) -> str:
    """``3.2 × the threshold``."""
    return f"{value:.1f} × the threshold" if value < 100 else f"{value:,.0f} × the threshold"
