from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from anomalyos.core.errors import NotFound
from anomalyos.db.engine import Store
from anomalyos.inspection import what_if
from anomalyos.inspection.what_if import Flips
from tests.support.rows import category_with_versions, inspection

# on SQLite and on PostgreSQL
pytestmark = pytest.mark.databases

NOW = datetime(2026, 11, 25, 6, 0, tzinfo=UTC)
# score, p-value, verdict, decision: judged at alpha 0.05, threshold 2.0, against 99 normal parts
ITEMS = (
    (1.0, 0.60, "normal", None),
    (1.2, 0.40, "normal", None),
    (1.9, 0.08, "normal", None),
    (1.95, 0.06, "normal", "defect"),
    (2.1, 0.05, "anomalous", "false_alarm"),
    (2.2, 0.04, "anomalous", "false_alarm"),
    (2.3, 0.03, "anomalous", "defect"),
    (3.5, 0.01, "anomalous", "defect"),
    (9.9, 0.01, "anomalous", None),
)


def fill(store: Store, *, when: datetime = NOW - timedelta(days=1)) -> tuple[int, list[int]]:
    """Id of the first inspection, and the versions of its category."""
    ids = []
    with store.session() as session:
        category_id, versions = category_with_versions(session, "bolt", 2)
        judged: dict[str, Any] = {
            "category_id": category_id,
            "threshold": 2.0,
            "alpha": 0.05,
            "calibration_groups": 99,
        }
        for number, (score, p_value, verdict, decision) in enumerate(ITEMS):
            fields: dict[str, Any] = {
                "score": score,
                "p_value": p_value,
                "verdict": verdict,
                "decision": decision,
            }
            ids.append(
                inspection(
                    session,
                    f"{number}.png",
                    model_version_id=versions[0],
                    created_at=when + timedelta(minutes=number),
                    **judged,
                    **fields,
                )
            )
        other: dict[str, Any] = {**judged, "score": 5.0, "p_value": 0.01}
        inspection(session, "other.png", model_version_id=versions[1], created_at=when, **other)
        old: dict[str, Any] = {
            **judged,
            "score": 5.0,
            "p_value": 0.01,
            "created_at": when - timedelta(days=8),
        }
        inspection(session, "old.png", model_version_id=versions[0], **old)
    return ids[0], versions


def week_of(store: Store, inspection_id: int, now: datetime = NOW) -> what_if.Week:
    with store.session(read_only=True) as session:
        week = what_if.week(session, inspection_id, now)
    assert week is not None
    return week


def test_a_week_holds_what_the_same_version_judged_in_seven_days(store: Store) -> None:
    first, _ = fill(store)
    week = week_of(store, first)
    assert (week.category, week.version, week.total, week.flagged) == ("bolt", 1, 9, 5)
    assert (week.alpha, week.threshold, week.current) == (0.05, 2.0, True)
    assert week.until - week.since == timedelta(days=7)


def test_the_present_promise_changes_nothing(store: Store) -> None:
    first, _ = fill(store)
    outcome = week_of(store, first).outcome(0.05)
    assert (outcome.to_normal, outcome.to_flagged) == (Flips(), Flips())
    assert (outcome.flagged, outcome.threshold) == (5, 2.0)


def test_a_stricter_promise_lets_some_go_and_says_what_people_had_called_them(store: Store) -> None:
    first, _ = fill(store)
    outcome = week_of(store, first).outcome(0.02)
    assert outcome.to_normal == Flips(count=3, defects=1, false_alarms=2)
    assert outcome.to_flagged == Flips()
    assert outcome.flagged == 2
    assert [score > outcome.threshold for score, *_ in ITEMS] == [False] * 7 + [True] * 2


def test_a_looser_promise_flags_more(store: Store) -> None:
    first, _ = fill(store)
    outcome = week_of(store, first).outcome(0.08)
    assert outcome.to_flagged == Flips(count=2, defects=1)
    assert outcome.to_normal == Flips()
    assert outcome.flagged == 7
    assert [score > outcome.threshold for score, *_ in ITEMS] == [False] * 2 + [True] * 7


def test_a_promise_no_item_decides_keeps_the_threshold(store: Store) -> None:
    first, _ = fill(store)
    assert week_of(store, first).outcome(0.055).threshold == 2.0


def test_stops_start_at_the_strictest_promise_and_hold_the_present_one(store: Store) -> None:
    first, _ = fill(store)
    stops = week_of(store, first).stops()
    assert stops[0] == pytest.approx(1 / 100)
    assert 0.05 in stops
    assert stops == sorted(set(stops))


def test_bins_hold_every_item_and_the_far_ones_share_the_last(store: Store) -> None:
    first, _ = fill(store)
    bins = week_of(store, first).bins
    assert sum(part.defects + part.false_alarms + part.others for part in bins) == 9
    assert sum(part.defects for part in bins) == 3
    assert sum(part.false_alarms for part in bins) == 2
    assert bins[0].low == 1.0
    assert bins[-1].high == pytest.approx(5.0)
    assert bins[-1].others == 1
    for part in bins:
        inside = sum(part.low < score < part.high for score, *_ in ITEMS)
        assert part.defects + part.false_alarms + part.others >= inside


def test_a_replaced_model_shows_its_own_last_week(store: Store) -> None:
    first, _ = fill(store, when=NOW - timedelta(days=40))
    week = week_of(store, first)
    assert week.current is False
    assert week.total == 9
    assert week.until == NOW - timedelta(days=40) + timedelta(minutes=8)


def test_what_was_not_scored_has_no_week(store: Store) -> None:
    with store.session() as session:
        rejected = inspection(session, verdict="rejected")
    with store.session(read_only=True) as session:
        assert what_if.week(session, rejected, NOW) is None
        with pytest.raises(NotFound):
            what_if.week(session, rejected + 1, NOW)


def test_equal_scores_make_a_week(store: Store) -> None:
    with store.session() as session:
        category_id, versions = category_with_versions(session, "bolt", 1)
        only = inspection(
            session,
            category_id=category_id,
            model_version_id=versions[0],
            created_at=NOW,
            score=0.0,
            threshold=0.0,
            alpha=0.5,
            p_value=1.0,
            calibration_groups=1,
            verdict="normal",
        )
    week = week_of(store, only)
    assert sum(part.others for part in week.bins) == 1
    assert week.stops() == [0.5]
