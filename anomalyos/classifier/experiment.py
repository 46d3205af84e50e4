"""Every classifier version in MLflow: a run for the version, with one nested run for each trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from anomalyos.classifier.bundle import classifiers_dir
from anomalyos.classifier.tables import ClassifierVersion
from anomalyos.core.settings import Settings
from anomalyos.models.tracking import (
    CATEGORY,
    CLASSIFIER,
    NOTE,
    TrackedRun,
    log_once,
    tracked_run,
    tracking_client,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PLAIN = (
    *("accuracy", "accuracy_of_named", "majority_macro_f1", "ece_before", "ece_after", "temperature"),
    *("threshold", "coverage", "cases", "photographs"),
)


def log_classifier(
    settings: Settings, version: ClassifierVersion, reason: str, *, seconds: float | None = None
) -> dict[str, Any]:
    """Record a version as a run of the experiment ``classifier``, as ``log_once``."""

    def write(run: TrackedRun) -> None:
        figures = version.metrics
        chosen = {**figures["hyperparameters"], **figures["options"]}
        run.log_params({**chosen, "classes": ", ".join(figures["classes"])})
        for number, trial in enumerate(figures["trials"]):
            _log_trial(settings, version, number, trial, run.run_id)
        found = figures["macro_f1"]
        interval = {f"macro_f1_{name}": found[name] for name in ("low95", "high95")}
        plain = {name: figures[name] for name in PLAIN}
        run.log_metrics({**plain, "macro_f1": found["value"], **interval, "seconds": seconds})
        run.log_figure(confusion_figure(figures["confusion"], figures["classes"]), "confusion.png")
        run.log_artifact(classifiers_dir(settings) / version.bundle_path, "bundle")

    def after(run_id: str) -> None:
        tracking_client(settings).set_tag(run_id, NOTE, f"Gate: {reason}")

    return log_once(settings, CLASSIFIER, version.category, version, write, after)


def _log_trial(
    settings: Settings, version: ClassifierVersion, number: int, trial: Mapping[str, Any], parent: str
) -> None:
    tags = {CATEGORY: version.category, "anomalyos.trial": trial["state"]}
    name = f"{version.category} trial {number}"
    with tracked_run(settings, CLASSIFIER, name, params=trial["params"], tags=tags, parent=parent) as run:
        run.log_metrics({"macro_f1": trial["macro_f1"], "seconds": trial["seconds"]})
        for step, value in trial["steps"].items():
            run.log_metrics({"macro_f1_so_far": value}, step=int(step))


def confusion_figure(matrix: Sequence[Sequence[int]], names: Sequence[str]) -> Figure:
    """Rows are what the defects were, columns what they were called out of fold."""
    from matplotlib.figure import Figure
    from sklearn.metrics import ConfusionMatrixDisplay

    side = 2 + 0.6 * len(names)
    figure = Figure(figsize=(side + 0.8, side), layout="constrained")
    drawn = ConfusionMatrixDisplay(np.array(matrix), display_labels=list(names))
    drawn.plot(ax=figure.subplots(), cmap="Blues", colorbar=False, xticks_rotation=45)
    drawn.ax_.set(xlabel="called", ylabel="was")
    return figure
