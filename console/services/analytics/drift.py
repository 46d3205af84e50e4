"""Stored drift reports: one HTML file a product and day, ``home/drift/PRODUCT/DAY.html``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from anomalyos.core.settings import Settings

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
