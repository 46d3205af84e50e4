"""The drift report as Airflow runs it: what starts a retraining, and what does not."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest
from sqlmodel import select

from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.drift import simulation
from anomalyos.drift.tables import DriftAlarm, DriftCheck
from tests.dags.conftest import RunDag
from tests.drift.drift_home import look_at, small_windows


@pytest.fixture(autouse=True)
def rules(settings: Settings, environment: dict[str, str]) -> None:
    small_windows(settings)
    environment["ANOMALYOS_INCLUDE_DIR"] = str(settings.include_dir)


def events(settings: Settings) -> list[str]:
    """What Airflow keeps of updates of the asset."""
    with closing(sqlite3.connect(settings.airflow_home / "airflow.db")) as database:
        query = (
            "select e.extra from asset_event e join asset a on a.id = e.asset_id where a.name = 'drift' "
            "order by e.id"
        )
        return [row[0] for row in database.execute(query)]


def states(result: dict[str, Any]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for task, _, state, _ in result["tasks"]:
        found.setdefault(task, set()).add(state)
    return found


def test_from_a_clean_night_over_drift_to_the_cool_down(
    built: Store, settings: Settings, run_dag: RunDag
) -> None:
    look_at(settings, built, 28)
    clean = run_dag("drift_report", {})
    assert clean["state"] == "success", clean["log"][-3000:]
    assert states(clean) == {
        "discover": {"success"},
        "compare": {"success"},
        "announce": {"skipped"},
        "summary": {"success"},
    }
    assert ["compare", 0, "success", "dots"] in clean["tasks"]
    assert "dots: no drift." in clean["log"]
    assert "stripes: too few records to compare" in clean["log"]
    assert events(settings) == []

    simulation.inject_drift("dots", settings, built, actor="ada", count=14)
    drifted = run_dag("drift_report", {})
    assert drifted["state"] == "success", drifted["log"][-3000:]
    assert states(drifted)["announce"] == {"success"}
    assert "dots drifted: " in drifted["log"]
    (event,) = events(settings)
    assert '"category": "dots"' in event
    assert '"injected": 14' in event

    again = run_dag("drift_report", {"categories": ["dots"]})
    assert states(again)["announce"] == {"skipped"}
    assert "dots drifted, but it was retrained because of drift on " in again["log"]
    assert len(events(settings)) == 1
    with built.session(read_only=True) as session:
        assert [row.run_id for row in session.exec(select(DriftAlarm))] == [drifted["run_id"]]


def test_one_product_that_fails_is_named_and_does_not_silence_the_others(
    built: Store, settings: Settings, run_dag: RunDag
) -> None:
    for name in ("dots", "stripes"):
        simulation.inject_drift(name, settings, built, actor="ada", count=14)
    (settings.drift_dir).mkdir()
    (settings.drift_dir / "stripes").write_text("in the way of a report")
    result = run_dag("drift_report", {})
    assert result["state"] == "failed"
    assert states(result)["announce"] == {"success"}
    assert "1 of 2 products could not be compared: stripes." in result["log"]
    (event,) = events(settings)
    assert "stripes" not in event
    with built.session(read_only=True) as session:
        assert [row.category for row in session.exec(select(DriftCheck))] == ["dots"]


def test_a_product_without_a_model_is_refused(built: Store, run_dag: RunDag) -> None:
    result = run_dag("drift_report", {"categories": ["nuts"]})
    assert result["state"] == "failed"
    assert "No model is in use for: nuts." in result["log"]
