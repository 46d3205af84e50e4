"""The search for hyperparameters: cross-validated, pruned, kept on disk and gone on with after a kill."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from anomalyos.classifier.dataset import Labels
from anomalyos.classifier.fitting import Fitted, Hyperparameters, fit
from anomalyos.classifier.options import TrainingOptions
from anomalyos.classifier.scores import macro_f1
from anomalyos.classifier.views import Views
from anomalyos.core.arrays import Float64Array
from anomalyos.core.files.locks import held
from anomalyos.core.settings import Settings

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial

LOGITS = "logits"
FIRST_AT_RANDOM = 4
"""Trials before the sampler draws on what it has seen."""
NEVER_PRUNED = 3
"""Completed trials the median is taken of, at least."""
REPORTS = 2
"""Per fold: half way through its training, and at its end."""


@dataclass(frozen=True)
class Task:
    """What every trial is measured on."""

    views: Views
    labels: Labels
    classes: int
    folds: Labels
    """(N,) fold of each example."""


@dataclass(frozen=True)
class Found:
    """The best trial, and all of them as they are shown."""

    chosen: Hyperparameters
    logits: Float64Array
    """(N, classes): each example's by the network that had not seen its part."""
    trials: list[dict[str, Any]]


Measure = Callable[[Fitted], float]


class Pruned(Exception):
    """A trial that is behind and is not finished."""


def search(
    name: str,
    task: Task,
    options: TrainingOptions,
    settings: Settings,
    progress: Callable[[float], None] | None = None,
) -> Found:
    """Go on with the study ``name`` until ``options.trials`` trials are done, pruned ones included.

    Each trial is sampled with a seed of its own, from the trials before it: a search that was killed and
    gone on with tries what an undisturbed one would have tried. Nobody else may run the same study
    meanwhile: a trial that is still marked as running is taken for one whose process died.
    """
    import optuna

    study = open_study(name, settings)
    for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
    while (number := len(done_trials(study))) < options.trials:
        if progress is not None:
            progress(number / options.trials)
        study.sampler = optuna.samplers.TPESampler(
            seed=options.seed + number, n_startup_trials=FIRST_AT_RANDOM, multivariate=False
        )
        if number == 0 and not study.get_trials(states=(optuna.trial.TrialState.WAITING,)):
            study.enqueue_trial(first_choice())
        run_trial(study, task, options, settings)
    best = study.best_trial
    logits = np.array(best.user_attrs[LOGITS], dtype=np.float64)
    return Found(hyperparameters(best), logits, [brief(trial) for trial in done_trials(study)])


def open_study(name: str, settings: Settings) -> optuna.Study:
    """The study of that name in ``home/optuna.db``, made when it is not there."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    path = settings.home / "optuna.db"
    # two processes that make the tables at once would trip over each other
    with held(path.with_suffix(".lock")):
        storage = optuna.storages.RDBStorage(
            f"sqlite:///{path}", engine_kwargs={"connect_args": {"timeout": 30}}
        )
        return optuna.create_study(
            study_name=name,
            storage=storage,
            direction="maximize",
            load_if_exists=True,
            pruner=optuna.pruners.MedianPruner(n_startup_trials=NEVER_PRUNED, n_warmup_steps=1),
        )


def done_trials(study: optuna.Study) -> list[FrozenTrial]:
    """Completed and pruned trials, oldest first."""
    from optuna.trial import TrialState

    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))


def first_choice() -> dict[str, Any]:
    """The defaults as a trial: the search can only improve on them."""
    default = Hyperparameters()
    names = ("blocks", "head_rate", "weight_decay", "dropout", "smoothing", "balance", "beta")
    return {name: getattr(default, name) for name in (*names, "tail_rate", "tail_epochs")}


def suggest(trial: optuna.Trial) -> Hyperparameters:
    """One point of the space; what a choice makes meaningless is not asked for."""
    values: dict[str, Any] = {
        "blocks": trial.suggest_int("blocks", 0, 2),
        "head_rate": trial.suggest_float("head_rate", 1e-3, 3e-2, log=True),
        "weight_decay": trial.suggest_float("weight_decay", 1e-5, 1e-1, log=True),
        "dropout": trial.suggest_float("dropout", 0.0, 0.5),
        "smoothing": trial.suggest_float("smoothing", 0.0, 0.1),
        "balance": trial.suggest_categorical("balance", ["weights", "sampling"]),
    }
    if values["balance"] == "weights":
        values["beta"] = trial.suggest_categorical("beta", [0.0, 0.9, 0.99, 0.999])
    if values["blocks"]:
        values["tail_rate"] = trial.suggest_float("tail_rate", 3e-5, 1e-3, log=True)
        values["tail_epochs"] = trial.suggest_int("tail_epochs", 3, 9, step=3)
    return Hyperparameters(**values)


def hyperparameters(trial: FrozenTrial) -> Hyperparameters:
    return Hyperparameters(**trial.params)


def run_trial(study: optuna.Study, task: Task, options: TrainingOptions, settings: Settings) -> None:
    """One trial from its sampling to its end. A kill leaves it marked as running."""
    from optuna.trial import TrialState

    trial = study.ask()
    chosen = suggest(trial)

    def report(step: int, value: float) -> None:
        trial.report(value, step)
        if trial.should_prune():
            raise Pruned

    try:
        logits, values = cross_validate(task, chosen, settings, options.seed, report)
    except Pruned:
        study.tell(trial, state=TrialState.PRUNED)
        return
    trial.set_user_attr(LOGITS, np.round(logits, 5).tolist())
    trial.set_user_attr("folds", [round(value, 5) for value in values])
    study.tell(trial, float(np.mean(values)))


def cross_validate(
    task: Task,
    chosen: Hyperparameters,
    settings: Settings,
    seed: int = 0,
    report: Callable[[int, float], None] | None = None,
) -> tuple[Float64Array, list[float]]:
    """Train on all folds but one, in turn.

    Args:
        report: called with (step, mean macro F1 of the folds so far, the present one included), half way
            through each fold and at its end.

    Returns:
        logits: (N, classes), each example's by the network that had not seen its fold.
        values: macro F1 of each fold, over the classes that occur in it.
    """
    logits = np.zeros((len(task.labels), task.classes))
    values: list[float] = []
    for place, fold in enumerate(np.unique(task.folds)):
        own = np.flatnonzero(task.folds == fold)
        rest = np.flatnonzero(task.folds != fold)
        held_out = task.views.subset(own)

        def measure(fitted: Fitted, own: Any = own, held_out: Views = held_out) -> float:
            logits[own] = fitted.logits(held_out)
            return macro_f1(task.labels[own], logits[own].argmax(axis=1), task.classes)

        def half_way(fitted: Fitted, place: int = place, measure: Measure = measure) -> None:
            if report is not None:
                report(REPORTS * place, float(np.mean([*values, measure(fitted)])))

        fitted = fit(
            task.views.subset(rest),
            task.labels[rest],
            task.classes,
            chosen,
            settings,
            seed=seed,
            half_way=half_way,
        )
        values.append(measure(fitted))
        if report is not None:
            report(REPORTS * place + 1, float(np.mean(values)))
    return logits, values


def brief(trial: FrozenTrial) -> dict[str, Any]:
    """JSON-able: what was tried and what it came to."""
    seconds = trial.duration.total_seconds() if trial.duration is not None else None
    return {
        "state": trial.state.name.lower(),
        "macro_f1": None if trial.value is None else round(trial.value, 5),
        "params": dict(trial.params),
        "steps": {str(step): round(value, 5) for step, value in trial.intermediate_values.items()},
        "seconds": None if seconds is None else round(seconds, 2),
    }
