"""Runs in MLflow: what they keep, how they end, and a server that is not there."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from anomalyos.core.settings import Settings
from anomalyos.models import tracking


@pytest.fixture(scope="module")
def tracked(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a home whose MLflow is made once: making it takes seconds."""
    return Settings(home=tmp_path_factory.mktemp("tracked"), mlflow_tracking_uri="", _env_file=None)


def test_a_run_keeps_what_it_is_given(tracked: Settings, tmp_path: Path) -> None:
    (tmp_path / "bank").mkdir()
    (tmp_path / "bank" / "facts.json").write_text("{}")
    with tracking.tracked_run(
        tracked, tracking.PATCHCORE, "stripes v1", params={"ratio": 0.1}, tags={"category": "stripes"}
    ) as run:
        run.log_metrics({"auroc": 0.9, "aupro": None, "odd": math.nan})
        run.log_artifact(tmp_path / "bank", "bundle")
        run.log_text("it passed", "gate.txt")
    kept = run.client.get_run(run.run_id)
    assert kept.info.status == "FINISHED"
    assert kept.data.params == {"ratio": "0.1"}
    assert kept.data.metrics == {"auroc": 0.9}
    assert kept.data.tags["category"] == "stripes"
    assert kept.data.tags["mlflow.runName"] == "stripes v1"
    files = {file.path for file in run.client.list_artifacts(run.run_id)}
    assert files == {"bundle", "gate.txt"}
    assert str(tracked.home) in run.artifact_uri


def test_a_failure_inside_is_the_runs_failure(tracked: Settings) -> None:
    with (
        pytest.raises(ValueError, match="too few"),
        tracking.tracked_run(tracked, tracking.CLASSIFIER, "dots") as run,
    ):
        raise ValueError("too few")
    assert run.client.get_run(run.run_id).info.status == "FAILED"


def test_runs_are_nested_in_one_experiment(tracked: Settings) -> None:
    with tracking.tracked_run(tracked, tracking.RETRIEVAL, "study") as parent:
        for number in range(2):
            with tracking.tracked_run(
                tracked, tracking.RETRIEVAL, f"trial {number}", parent=parent.run_id
            ) as run:
                run.log_metrics({"mrr": number / 2}, step=number)
    client = tracking.tracking_client(tracked)
    number = tracking.experiment_id(client, tracked, tracking.RETRIEVAL)
    nested = client.search_runs([number], f"tags.`mlflow.parentRunId` = '{parent.run_id}'")
    assert {found.data.tags["mlflow.runName"] for found in nested} == {"trial 0", "trial 1"}


@pytest.mark.parametrize(
    "uri", ["http://user:secret@127.0.0.1:9", "sqlite:////proc/none/mlflow.db", "file:///tmp/mlruns"]
)
def test_an_unreachable_server_is_named_without_its_password(uri: str, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, mlflow_tracking_uri=uri, _env_file=None)
    with (
        pytest.raises(tracking.TrackingUnreachable) as caught,
        tracking.tracked_run(settings, tracking.PATCHCORE, "dots"),
    ):
        pytest.fail("there is nothing to write to")
    assert "could not be used" in caught.value.message
    assert "secret" not in str(caught.value)
    assert "MLFLOW_TRACKING_URI" in caught.value.hint
