"""Cool-down and daily cap, decided in one transaction."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from anomalyos.db.engine import Store
from anomalyos.db.rows import stored_id
from anomalyos.drift import checks as drift_checks
from anomalyos.drift.checks import raise_alarms
from anomalyos.drift.tables import DriftAlarm, DriftCheck
from tests.support.rows import category_with_versions

# on SQLite and on PostgreSQL
pytestmark = pytest.mark.databases

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
COOLDOWN = timedelta(hours=72)
FIGURES = [
    {"metric": "score", "method": "wasserstein", "value": 0.7, "threshold": 0.5, "drifted": True},
    {"metric": "category", "method": "jensenshannon", "value": 0.6, "threshold": 0.15, "drifted": True},
]


def check(store: Store, category: str, outcome: str = "drifted", day: str = "2026-11-24") -> DriftCheck:
    with store.session() as session:
        existing = drift_checks.by_key(session, f"{category}{day}".ljust(64, "0"))
        if existing is not None:
            return existing
        version = category_with_versions(session, f"{category}", 1)[1][0] if day == "2026-11-24" else 1
        return drift_checks.record(
            session,
            DriftCheck(
                content_key=f"{category}{day}".ljust(64, "0"),
                category=category,
                day=day,
                model_version_id=version,
                outcome=outcome,
                figures=FIGURES,
            ),
        )


def raised(
    store: Store, checks: list[DriftCheck], run_id: str, at: datetime = NOW, runs_per_day: int = 2
) -> tuple[list[DriftAlarm], list[str]]:
    with store.session() as session:
        alarms, refusals = raise_alarms(
            session, checks, run_id=run_id, cooldown=COOLDOWN, runs_per_day=runs_per_day, now=at
        )
    return alarms, [f"{refusal.category}: {refusal.reason}" for refusal in refusals]


def test_what_drifted_is_let_through_with_its_largest_figure(store: Store) -> None:
    checks = [check(store, "dots"), check(store, "nuts", "stable"), check(store, "caps", "too_few")]
    alarms, refusals = raised(store, checks, "r1")
    assert [(row.category, row.metric, row.size, row.check_id) for row in alarms] == [
        ("dots", "category", 0.6, stored_id(checks[0].id))
    ]
    assert refusals == []


def test_a_run_that_is_tried_again_reports_the_same_once(store: Store) -> None:
    checks = [check(store, "dots")]
    first, _ = raised(store, checks, "r1")
    again, refusals = raised(store, checks, "r1", NOW + timedelta(hours=5))
    assert [row.id for row in again] == [row.id for row in first]
    assert refusals == []


def test_no_second_one_within_the_cool_down(store: Store) -> None:
    checks = [check(store, "dots")]
    raised(store, checks, "r1")
    alarms, refusals = raised(store, checks, "r2", NOW + COOLDOWN - timedelta(seconds=1))
    assert alarms == []
    assert refusals == [
        "dots: it was retrained because of drift on 24 Nov at 06:00 and cools down until 27 Nov, 06:00 UTC"
    ]
    alarms, _ = raised(store, checks, "r3", NOW + COOLDOWN)
    assert len(alarms) == 1


def test_another_product_need_not_cool_down(store: Store) -> None:
    raised(store, [check(store, "dots")], "r1")
    alarms, refusals = raised(store, [check(store, "dots"), check(store, "nuts")], "r2")
    assert [row.category for row in alarms] == ["nuts"]
    assert len(refusals) == 1


def test_a_day_has_so_many_runs(store: Store) -> None:
    for number, name in enumerate(("dots", "nuts")):
        assert raised(store, [check(store, name)], f"r{number}")[0]
    alarms, refusals = raised(store, [check(store, "caps")], "r9", NOW + timedelta(hours=23, minutes=59))
    assert alarms == []
    assert refusals == ["caps: drift has started 2 retraining runs in the last 24 hours already"]
    assert raised(store, [check(store, "caps")], "r10", NOW + timedelta(hours=24))[0]


def test_a_cap_of_nothing_never_retrains(store: Store) -> None:
    alarms, refusals = raised(store, [check(store, "dots")], "r1", runs_per_day=0)
    assert alarms == []
    assert refusals == ["dots: drift has started 0 retraining runs in the last 24 hours already"]


def test_of_runs_that_decide_at_once_only_one_is_let_through(store: Store) -> None:
    checks = [check(store, "dots")]
    granted: list[int] = []
    start = threading.Barrier(6)

    def decide(number: int) -> None:
        start.wait()
        granted.append(len(raised(store, checks, f"r{number}")[0]))

    threads = [threading.Thread(target=decide, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(granted) == [0, 0, 0, 0, 0, 1]


def test_history_is_the_last_of_each_day_in_order(store: Store) -> None:
    for name in ("dots", "nuts"):
        check(store, name)
    check(store, "dots", day="2026-11-25")
    earlier = check(store, "dots")
    with store.session() as session:
        values = earlier.model_dump(exclude={"id"}) | {"content_key": "z" * 64, "outcome": "stable"}
        drift_checks.record(session, DriftCheck(**values))
    with store.session(read_only=True) as session:
        found = drift_checks.history(session, ["dots"], "2026-11-24", "2026-11-25")
        assert [(row.day, row.outcome) for row in found] == [
            ("2026-11-24", "stable"),
            ("2026-11-25", "drifted"),
        ]
        assert drift_checks.history(session, ["dots"], "2026-11-26", "2026-11-30") == []
        assert len(drift_checks.history(session, ["dots", "nuts"], "2026-11-24", "2026-11-24")) == 2


@pytest.mark.parametrize(("wanted", "left"), [("dots", ["nuts"]), (None, [])])
def test_only_what_injected_records_were_part_of_is_forgotten(
    store: Store, wanted: str | None, left: list[str]
) -> None:
    made = [check(store, name) for name in ("dots", "nuts")]
    with store.session() as session:
        for row in made:
            own = session.get(DriftCheck, row.id)
            assert own is not None
            own.injected_count, own.page_path = 3, f"{row.category}/2026-11-24.html"
    raised(store, [check(store, "dots"), check(store, "nuts")], "r1")
    with store.session() as session:
        pages = drift_checks.forget_injected(session, wanted)
    assert pages == [f"{name}/2026-11-24.html" for name in ("dots", "nuts") if name not in left]
    with store.session(read_only=True) as session:
        assert sorted(drift_checks.newest_alarms(session, ["dots", "nuts"])) == left
