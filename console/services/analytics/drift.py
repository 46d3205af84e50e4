"""What the drift reports of a selection say, and their stored pages: ``home/drift/PRODUCT/DAY.html``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sqlmodel import Session

from anomalyos.core.settings import Settings
from anomalyos.drift import checks as drift_checks
from anomalyos.drift import records as drift_records
from anomalyos.drift.tables import DriftAlarm, DriftCheck

_SHOWN = 14


@dataclass(frozen=True)
class DriftReport:
    category: str
    day: str

    @property
    def address(self) -> str:
        return f"/api/analytics/drift/{self.category}/{self.day}"


def folder(settings: Settings) -> Path:
    """Where whatever measures drift leaves its reports."""
    return settings.drift_dir


def found(settings: Settings, categories: list[str]) -> dict[str, list[DriftReport]]:
    """The newest reports of each product that has some, newest first."""
    reports = {name: _of_category(settings, name) for name in categories}
    return {name: own for name, own in reports.items() if own}


def _of_category(settings: Settings, category: str) -> list[DriftReport]:
    days = (path.stem for path in (folder(settings) / category).glob("*.html") if _is_day(path.stem))
    return [DriftReport(category, day) for day in sorted(days, reverse=True)[:_SHOWN]]


def stored(settings: Settings, category: str, day: str) -> Path | None:
    """The file of one report; None when there is none, or when the names lead anywhere else."""
    if not _is_day(day) or category != Path(category).name:
        return None
    path = folder(settings) / category / f"{day}.html"
    inside = path.resolve().is_relative_to(folder(settings).resolve())
    return path if inside and path.is_file() else None


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


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
