"""What a night is called, and which one a run means."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from anomalyos.core.errors import AnomalyOSError


def batch_key(day: str) -> str:
    return f"night-{day}"


def check_day(day: str) -> str:
    """``day`` unchanged when it is a calendar date written YYYY-MM-DD.

    Raises:
        AnomalyOSError: for anything else, so that a day can never be a path.
    """
    try:
        # also refuses other spellings of a date that would name another folder
        is_date = date.fromisoformat(day).isoformat() == day
    except ValueError:
        is_date = False
    if is_date:
        return day
    raise AnomalyOSError(f"'{day}' is not a date.", "Write it as YYYY-MM-DD, for example 2026-11-24.")


def night_of(requested: str | None, moment: datetime, scheduled: bool) -> str:
    """The day whose inbox a run works on, as YYYY-MM-DD in the local time zone.

    A requested date always wins. A scheduled run happens shortly after midnight and works on the
    production day that has just ended: the day before ``moment``. A run somebody starts by hand
    works on the day of ``moment`` itself.
    """
    if requested:
        return check_day(requested)
    local = moment.astimezone().date()
    return (local - timedelta(days=1) if scheduled else local).isoformat()
