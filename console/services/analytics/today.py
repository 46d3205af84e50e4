"""The present day, in one place so that a test can set it."""

from __future__ import annotations

from datetime import UTC, date, datetime


def today() -> date:
    """In UTC, as nights are named."""
    return datetime.now(UTC).date()
