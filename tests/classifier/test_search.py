"""The search: kept on disk, gone on with after a kill, pruned, and the same every time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from anomalyos.classifier import fitting, network, search
from anomalyos.classifier.crops import turn
from anomalyos.classifier.options import TrainingOptions
from anomalyos.classifier.search import Task
from anomalyos.classifier.views import compute_views
from anomalyos.core.settings import Settings
from tests.classifier import drawn


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    """Labels that only half follow the pictures: trials come out differently."""
    pictures = [network.resized(drawn.draw(kind, seed), 32) for seed in range(6) for kind in drawn.TYPES]
    settings = Settings(home=tmp_path_factory.mktemp("task"), _env_file=None)
    views = compute_views(lambda place: [turn(pictures[place], view) for view in range(4)], 18, settings)
    labels = np.arange(18) % 3
    labels[::5] = (labels[::5] + 1) % 3
    return Task(views, labels, 3, np.arange(18) // 3 % 2)


OPTIONS = TrainingOptions(trials=4, folds=2, input_size=32)


class Killed(BaseException):
    pass


def test_a_search_that_was_killed_goes_on_and_ends_as_an_undisturbed_one(
    settings: Settings, task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fits: list[int] = []
    real = fitting.fit

    def fit(*args: Any, **more: Any) -> fitting.Fitted:
        fits.append(len(fits))
        if len(fits) == 4:  # in the second fold of the second trial
            raise Killed
        return real(*args, **more)

    monkeypatch.setattr(search, "fit", fit)
    with pytest.raises(Killed):
        search.search("dots:1", task, OPTIONS, settings)
    study = search.open_study("dots:1", settings)
    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "RUNNING"]
    found = search.search("dots:1", task, OPTIONS, settings)
    states = [trial.state.name for trial in search.open_study("dots:1", settings).trials]
    assert states[:2] == ["COMPLETE", "FAIL"]
    assert "RUNNING" not in states
    assert len(found.trials) == 4
    monkeypatch.setattr(search, "fit", real)
    elsewhere = settings.model_copy(update={"home": tmp_path / "elsewhere"})
    undisturbed = search.search("dots:1", task, OPTIONS, elsewhere)
    assert [t["params"] for t in found.trials] == [t["params"] for t in undisturbed.trials]
    assert [t["macro_f1"] for t in found.trials] == [t["macro_f1"] for t in undisturbed.trials]
    np.testing.assert_array_equal(found.logits, undisturbed.logits)


def test_a_finished_search_tries_nothing_and_a_longer_one_only_what_is_left(
    settings: Settings, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = search.search("dots:2", task, TrainingOptions(trials=2, input_size=32), settings)
    assert first.trials[0]["params"]["blocks"] == fitting.Hyperparameters().blocks
    ran: list[None] = []
    real = search.run_trial
    monkeypatch.setattr(search, "run_trial", lambda *args: (ran.append(None), real(*args)))
    again = search.search("dots:2", task, TrainingOptions(trials=2, input_size=32), settings)
    assert (ran, again.trials) == ([], first.trials)
    longer = search.search("dots:2", task, TrainingOptions(trials=3, input_size=32), settings)
    assert len(ran) == 1
    assert longer.trials[:2] == first.trials


def test_a_trial_that_is_behind_is_pruned_and_never_the_best(
    settings: Settings, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []
    folds: list[int] = []

    def cross_validate(task: Task, chosen: Any, settings: Any, seed: int, report: Any) -> Any:
        tried.append(len(tried))
        value = 0.9 if len(tried) < 4 else 0.1
        for step in range(6):
            folds.append(len(tried))
            report(step, value)
        return np.zeros((18, 3)), [value, value]

    monkeypatch.setattr(search, "cross_validate", cross_validate)
    found = search.search("dots:3", task, TrainingOptions(trials=5, input_size=32), settings)
    assert [trial["state"] for trial in found.trials] == ["complete"] * 3 + ["pruned"] * 2
    assert folds.count(4) < 6 == folds.count(1)
    assert search.open_study("dots:3", settings).best_value == pytest.approx(0.9)


def test_out_of_fold_logits_come_from_networks_that_had_not_seen_the_fold(
    settings: Settings, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[np.ndarray] = []
    real = fitting.fit

    def fit(views: Any, labels: Any, *args: Any, **more: Any) -> fitting.Fitted:
        seen.append(np.asarray(views.starts[0][:, 0, :5]))
        return real(views, labels, *args, **more)

    monkeypatch.setattr(search, "fit", fit)
    steps: list[int] = []
    chosen = fitting.Hyperparameters(blocks=0)
    logits, values = search.cross_validate(
        task, chosen, settings, report=lambda step, value: steps.append(step)
    )
    assert logits.shape == (18, 3)
    assert len(values) == 2
    assert steps == [0, 1, 2, 3]
    for fold, rows in enumerate(seen):
        np.testing.assert_array_equal(rows, task.views.starts[0][task.folds != fold, 0, :5])
