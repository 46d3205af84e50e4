"""The present day, in one place."""

from __future__ import annotations

from datetime import UTC, date, datetime


def today() -> str:
    """The day by this server's clock, as live inspections and challenges are named."""
    return datetime.now().astimezone().date().isoformat()


def today_utc() -> date:
    """The day that nights are named by."""
    return datetime.now(UTC).date()
