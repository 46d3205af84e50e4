"""Training from end to end: one version for the same inputs, whatever happens on the way."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from anomalyos.accounts import audit
from anomalyos.classifier import search, train
from anomalyos.classifier import versions as classifier_versions
from anomalyos.classifier.bundle import WEIGHTS_FILE, classifiers_dir
from anomalyos.classifier.dataset import NotEnoughDefects
from anomalyos.classifier.options import TrainingOptions
from anomalyos.cli import app
from anomalyos.core.errors import AnomalyOSError, Conflict
from anomalyos.core.files.locks import held
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.models import tracking
from tests.classifier import drawn


class Killed(BaseException):
    pass


@pytest.fixture(autouse=True)
def untracked(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """MLflow takes seconds: only the tests about it ask for it."""
    if "mlflow" not in request.node.name:
        monkeypatch.setattr(train, "log_classifier", lambda *args, **more: {})


def versions(store: Store) -> list[Any]:
    with store.session(read_only=True) as session:
        return list(classifier_versions.list_versions(session, "dots"))


def test_the_first_version_is_put_in_use(trained: Store, settings: Settings) -> None:
    (version,) = versions(trained)
    metrics = version.metrics
    assert version.gate_passed
    assert metrics["macro_f1"]["value"] > 0.9
    assert metrics["cases"] == metrics["parts"] == 18
    assert metrics["classes"] == list(drawn.TYPES)
    assert sum(map(sum, metrics["confusion"])) == 18
    assert len(metrics["trials"]) == 3
    assert metrics["coverage"] > 0.8
    assert metrics["accuracy_of_named"] >= 0.9
    with trained.session(read_only=True) as session:
        event = audit.recent(session, action="classifier.promote")[0]
    assert (event.subject, event.detail["to_id"]) == ("category:dots", version.id)


def test_the_same_inputs_never_make_a_second_version(
    trained: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "build_version", lambda plan: pytest.fail("nothing is to be built"))
    again = drawn.train(trained, settings)
    assert (again["created"], again["promoted"], again["version"]) == (False, False, 1)
    assert len(versions(trained)) == 1


@pytest.mark.parametrize("place", ["run_trial", "write_version", "pass_gate"])
def test_killed_and_run_again_it_gives_one_version(
    settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    drawn.fill(store, 4)
    module: Any = search if place == "run_trial" else train
    real = getattr(module, place)
    calls: list[None] = []

    def killed(*args: Any, **more: Any) -> Any:
        calls.append(None)
        if place != "run_trial" or len(calls) == 2:
            if place == "write_version":
                real(*args, **more)
            raise Killed
        return real(*args, **more)

    monkeypatch.setattr(module, place, killed)
    with pytest.raises(Killed):
        drawn.train(store, settings)
    tried: list[None] = []
    monkeypatch.setattr(module, place, real)
    run_trial = search.run_trial
    monkeypatch.setattr(search, "run_trial", lambda *args: (tried.append(None), run_trial(*args)))
    result = drawn.train(store, settings)
    assert len(tried) == (2 if place == "run_trial" else 0)
    assert result["promoted"]
    assert result["trials"] == 3
    assert [version.version for version in versions(store)] == [1]
    assert len(list((classifiers_dir(settings) / "dots").iterdir())) == 1


def test_new_cases_make_a_new_version_that_the_gate_compares(trained: Store, settings: Settings) -> None:
    drawn.fill(trained, 1, first=70)
    stages: list[str] = []
    result = drawn.train(trained, settings, progress=lambda stage, share: stages.append(stage))
    assert (result["version"], result["created"]) == (2, True)
    assert "On the 18 cases both know" in result["reason"]
    assert list(dict.fromkeys(stages)) == ["features", "search", "fit"]


def test_one_that_learned_wrong_names_is_not_put_in_use(trained: Store, settings: Settings) -> None:
    for seed in range(100, 118):
        kinds = drawn.TYPES[seed % 3], drawn.TYPES[(seed + 1) % 3]
        drawn.add_case(trained, kinds[0], seed, kind=kinds[1])
    result = drawn.train(trained, settings)
    assert not result["promoted"]
    with trained.session(read_only=True) as session:
        used = classifier_versions.in_use(session, "dots")
    assert used is not None
    assert used.version == 1
    again = drawn.train(trained, settings)
    assert (again["promoted"], again["reason"]) == (False, result["reason"])


def test_damaged_files_are_made_again_under_the_same_version(trained: Store, settings: Settings) -> None:
    (version,) = versions(trained)
    file = classifiers_dir(settings) / version.bundle_path / WEIGHTS_FILE
    file.write_bytes(file.read_bytes()[:-4] + b"\0\1\2\3")
    result = drawn.train(trained, settings)
    assert (result["version"], result["created"], result["promoted"]) == (1, False, False)
    (version,) = versions(trained)
    from anomalyos.classifier.predict import DefectClassifier

    found = DefectClassifier("dots", settings, trained).name_defect(drawn.draw("stain", 500))
    assert found.label == "stain"


def test_a_damaged_one_in_use_does_not_stop_a_better_one(trained: Store, settings: Settings) -> None:
    (version,) = versions(trained)
    shutil.rmtree(classifiers_dir(settings) / version.bundle_path)
    drawn.fill(trained, 1, first=80)
    result = drawn.train(trained, settings)
    assert result["promoted"]
    assert "v1 can name nothing any more" in result["reason"]


def test_two_trainings_of_a_category_do_not_run_at_once(settings: Settings, store: Store) -> None:
    drawn.fill(store, 4)
    lock = classifiers_dir(settings) / "dots.lock"
    with held(lock), pytest.raises(Conflict, match="being trained by another process"):
        drawn.train(store, settings)


def test_too_few_defects_are_refused(settings: Settings, store: Store) -> None:
    drawn.fill(store, 2)
    with pytest.raises(NotEnoughDefects):
        drawn.train(store, settings)
    assert not (settings.home / "optuna.db").exists()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"trials": 0}, "0 trials"),
        ({"folds": 1}, "1 folds"),
        ({"input_size": 8}, "8 pixels"),
        ({"least_accuracy": 0.0}, "accuracy"),
    ],
)
def test_options_nothing_can_be_trained_with_are_refused(values: dict[str, Any], words: str) -> None:
    with pytest.raises(AnomalyOSError, match=words):
        TrainingOptions(**values)


def test_mlflow_holds_one_run_with_its_trials_nested(trained: Store, settings: Settings) -> None:
    (version,) = versions(trained)
    client = tracking.tracking_client(settings)
    number = tracking.experiment_id(client, settings, tracking.CLASSIFIER)
    tags = {tracking.KEY: version.content_key, tracking.CATEGORY: "dots"}
    half = client.create_run(number, tags=tags)
    client.create_run(number, tags={tracking.PARENT: half.info.run_id})
    first = drawn.train(trained, settings)["tracking"]
    again = drawn.train(trained, settings)["tracking"]
    assert first == again
    runs = client.search_runs([number])
    (parent,) = [run for run in runs if tracking.PARENT not in run.data.tags]
    assert parent.info.run_id == first["run_id"]
    assert parent.data.metrics["macro_f1"] == version.metrics["macro_f1"]["value"]
    assert parent.data.params["blocks"] == str(version.metrics["hyperparameters"]["blocks"])
    assert parent.data.tags["mlflow.note.content"].startswith("Gate: Macro F1")
    children = [run for run in runs if run.data.tags.get(tracking.PARENT) == first["run_id"]]
    assert len(children) == len(runs) - 1 == 3
    assert all("macro_f1" in run.data.metrics and "blocks" in run.data.params for run in children)
    assert {file.path for file in client.list_artifacts(first["run_id"])} == {"bundle", "confusion.png"}


def test_an_mlflow_that_is_down_loses_nothing(trained: Store, settings: Settings) -> None:
    away = settings.model_copy(update={"mlflow_tracking_uri": "http://127.0.0.1:9"})
    result = drawn.train(trained, away)
    assert "could not be used" in result["tracking"]["error"]
    assert result["version"] == 1


def test_commands(trained: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    real = train.train_classifier

    def tiny(*args: Any, trials: int, **more: Any) -> dict[str, Any]:
        options = TrainingOptions(trials=trials, folds=2, input_size=64)
        return real(*args, options=options, **more)

    monkeypatch.setattr("anomalyos.cli.classifier.train_classifier", tiny)
    told = CliRunner().invoke(app, ["classifier", "train", "dots", "--trials", "3", "--json"])
    assert told.exit_code == 0, told.output
    result = json.loads(told.stdout)
    assert (result["version"], result["created"]) == (1, False)
    shown = CliRunner().invoke(app, ["classifier", "train", "dots", "--trials", "3"])
    assert "as before" in shown.stdout
    listed = json.loads(CliRunner().invoke(app, ["classifier", "status", "dots", "--json"]).stdout)
    (row,) = listed["classifiers"]
    assert (row["version"], row["in_use"], row["classes"]) == (1, True, list(drawn.TYPES))
    assert "in use" in CliRunner().invoke(app, ["classifier", "status"]).stdout
    refused = CliRunner().invoke(app, ["classifier", "train", "stripes"])
    assert refused.exit_code == 2
    assert "0 named defects" in refused.output


def test_status_of_nothing(store: Store) -> None:
    assert "No classifier yet" in CliRunner().invoke(app, ["classifier", "status"]).stdout


def test_a_killed_process_leaves_no_lock(tmp_path: Path) -> None:
    import subprocess
    import sys

    lock = tmp_path / "dots.lock"
    code = (
        "import os, pathlib, sys\nfrom anomalyos.core.files.locks import held\n"
        "with held(pathlib.Path(sys.argv[1]), 'x'):\n    os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(lock)], check=False)
    assert done.returncode == -9
    with held(lock, "x"):
        assert lock.exists()
