"""A drift report over all products: the ends of the DAG ``drift_report``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.drift import check as drift
from anomalyos.drift import checks as drift_checks
from anomalyos.drift.check import check_drift, in_words, inspected_categories
from anomalyos.learning.outcome import without_result

_NIGHT = "night-"


class DriftReportFailed(AnomalyOSError):
    """At least one product could not be compared."""


def plan(
    settings: Settings, store: Store, wanted: Iterable[str], batches: Iterable[str] = ()
) -> list[dict[str, str]]:
    """One ``{"category", "day"}`` for each product that has a model in use.

    Args:
        batches: keys of the nights that started the report; its day is the newest of them, else today.

    Raises:
        NotFound: for a wanted product without a model.
    """
    nights = [key.removeprefix(_NIGHT) for key in batches if key.startswith(_NIGHT)]
    day = max(nights, default=date.today().isoformat())
    return [{"category": name, "day": day} for name in inspected_categories(settings, store, wanted)]


def compare(subject: Mapping[str, str], settings: Settings, store: Store, run_id: str) -> dict[str, Any]:
    """Compare one product; the kept row in short: ``category``, ``check`` (its id), ``outcome``, ``words``.

    Raises:
        NotFound: the product's model was taken out of use meanwhile.
    """
    row = check_drift(subject["category"], settings, store, day=subject["day"], run_id=run_id)
    return {"category": row.category, "check": row.id, "outcome": row.outcome, "words": in_words(row)}


def announce(
    done: Sequence[Mapping[str, Any]], settings: Settings, store: Store, run_id: str
) -> tuple[list[dict[str, Any]], list[str]]:
    """As :func:`anomalyos.drift.check.announce`, for what ``compare`` gave."""
    with store.session(read_only=True) as session:
        checks = drift_checks.by_ids(session, [result["check"] for result in done])
    return drift.announce(checks, settings, store, run_id)


def summarise(subjects: Sequence[Mapping[str, str]], done: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Names by outcome, and one line a product.

    Raises:
        DriftReportFailed: naming the products without a result.
    """
    failed = without_result((subject["category"] for subject in subjects), done)
    if failed:
        raise DriftReportFailed(
            f"{len(failed)} of {len(subjects)} products could not be compared: {', '.join(failed)}.",
            "Their tasks' logs say why. Running it again is safe.",
        )
    outcomes = sorted({result["outcome"] for result in done})
    named = {
        outcome: sorted(result["category"] for result in done if result["outcome"] == outcome)
        for outcome in outcomes
    }
    return {"outcomes": named, "lines": [result["words"] for result in done]}
