"""Maintenance, the weekly evaluation, and what is told when a task fails."""

from __future__ import annotations

import json

from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.models.tracking import RETRIEVAL, tracking_client
from anomalyos.ops.maintenance.backup import list_backups
from tests.dags.conftest import RunDag
from tests.support.listener import listening


def test_maintenance_backs_up_first_and_a_dry_run_changes_nothing(
    settings: Settings, store: Store, run_dag: RunDag
) -> None:
    dry = run_dag("maintenance", {"dry_run": True})
    assert dry["state"] == "success", dry["log"][-3000:]
    assert list_backups(settings) == []
    done = run_dag("maintenance", {})
    assert [task[:3] for task in done["tasks"]] == [
        [step, -1, "success"] for step in ("backup", "orphans", "retention", "vacuum")
    ]
    assert len(list_backups(settings)) == 1


def test_nothing_goes_without_a_backup_and_the_webhook_is_told(
    settings: Settings, store: Store, run_dag: RunDag, environment: dict[str, str]
) -> None:
    settings.backups_dir.write_text("in the way")
    with listening(status=200) as (url, taken):
        environment["ANOMALYOS_WEBHOOK_URL"] = f"{url}/hook?key=hunter22"
        result = run_dag("maintenance", {})
    assert result["state"] == "failed"
    states = {task[0]: task[2] for task in result["tasks"]}
    assert states["backup"] == "failed"
    assert {states[step] for step in ("retention", "orphans", "vacuum")} == {"upstream_failed"}
    assert len(taken) == 1
    told = json.loads(taken[0])
    assert (told["event"], told["dag"], told["task"]) == ("task_failed", "maintenance", "backup")
    assert told["run"] == result["run_id"]
    assert "backups" in told["reason"]
    assert "hunter22" not in result["log"]


def test_the_weekly_figures_are_kept_once(built: Store, settings: Settings, run_dag: RunDag) -> None:
    from anomalyos.cases.evaluation_record import measurable, record_retrieval

    result = run_dag("evaluate_retrieval", {})
    assert result["state"] == "success", result["log"][-3000:]
    client = tracking_client(settings)
    experiment = client.get_experiment_by_name(RETRIEVAL)
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    assert [run.info.status for run in runs] == ["FINISHED"]
    assert 0 <= runs[0].data.metrics["all/hierarchical/p_at_1"] <= 1
    # asked again, as a task that is tried again does, nothing is measured and nothing doubled
    names = measurable(settings, built)
    again = record_retrieval(names, settings, built, key=result["run_id"])
    assert again["measured"] is False
    assert len(client.search_runs([experiment.experiment_id])) == 1


def test_an_evaluation_that_cannot_be_kept_fails(
    built: Store, settings: Settings, run_dag: RunDag, environment: dict[str, str]
) -> None:
    environment["ANOMALYOS_MLFLOW_TRACKING_URI"] = "http://127.0.0.1:9"
    result = run_dag("evaluate_retrieval", {})
    assert result["state"] == "failed"
    assert "could not be used" in result["log"]
