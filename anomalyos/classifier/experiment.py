"""Every classifier version in MLflow: a run for the version, with one nested run for each trial."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from anomalyos.classifier.bundle import classifiers_dir
from anomalyos.classifier.tables import ClassifierVersion
from anomalyos.core.settings import Settings
from anomalyos.models.aliases import KEY, NUMBER
from anomalyos.models.experiment_log import CATEGORY, git_commit
from anomalyos.models.tracking import (
    CLASSIFIER,
    TrackingUnreachable,
    experiment_id,
    reachable,
    tracked_run,
    tracking_client,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

log = logging.getLogger(__name__)
PARENT = "mlflow.parentRunId"
PLAIN = ("accuracy", "majority_macro_f1", "ece_before", "ece_after", "temperature", "threshold", "coverage")


def log_classifier(
    settings: Settings, version: ClassifierVersion, reason: str, *, seconds: float | None = None
) -> dict[str, Any]:
    """Record a version as a run of the experiment ``classifier``, once however often asked.

    MLflow that cannot be reached loses nothing: version and trials are in the database, and are recorded when
    this is asked again.

    Returns:
        JSON-able: ``run_id``, or ``error`` with what to do.
    """
    try:
        with reachable(settings):
            run_id = _logged(settings, version) or _log(settings, version, seconds)
            client = tracking_client(settings)
            client.set_tag(run_id, "mlflow.note.content", f"Gate: {reason}")
    except TrackingUnreachable as error:
        log.warning("%s classifier v%d is not in MLflow: %s", version.category, version.version, error)
        return {"error": str(error)}
    return {"run_id": run_id}


def _logged(settings: Settings, version: ClassifierVersion) -> str | None:
    """The finished run of these inputs; one that was killed half way is removed, to be written anew."""
    client = tracking_client(settings)
    number = experiment_id(client, settings, CLASSIFIER)
    wanted = f"tags.`{KEY}` = '{version.content_key}' and tags.`{CATEGORY}` = '{version.category}'"
    finished: list[str] = []
    for run in client.search_runs([number], wanted):
        if run.info.status == "FINISHED":
            finished.append(str(run.info.run_id))
            continue
        for child in client.search_runs([number], f"tags.`{PARENT}` = '{run.info.run_id}'"):
            client.delete_run(child.info.run_id)
        client.delete_run(run.info.run_id)
    return finished[-1] if finished else None


def _log(settings: Settings, version: ClassifierVersion, seconds: float | None) -> str:
    figures = version.metrics
    tags = {
        KEY: version.content_key,
        CATEGORY: version.category,
        NUMBER: str(version.version),
        "anomalyos.data_hash": str(figures["data_hash"]),
        "anomalyos.dag_run": version.run_id,
        "mlflow.source.git.commit": git_commit(),
    }
    params = {**figures["hyperparameters"], **figures["options"], "classes": ", ".join(figures["classes"])}
    name = f"{version.category} v{version.version}"
    with tracked_run(settings, CLASSIFIER, name, params=params, tags=tags) as run:
        for number, trial in enumerate(figures["trials"]):
            _log_trial(settings, version, number, trial, run.run_id)
        found = figures["macro_f1"]
        run.log_metrics(
            {key: figures[key] for key in PLAIN}
            | {"macro_f1": found["value"], "macro_f1_low95": found["low95"]}
            | {"macro_f1_high95": found["high95"], "accuracy_of_named": figures["accuracy_of_named"]}
            | {"cases": figures["cases"], "photographs": figures["photographs"], "seconds": seconds}
        )
        run.log_figure(confusion_figure(figures["confusion"], figures["classes"]), "confusion.png")
        run.log_artifact(classifiers_dir(settings) / version.bundle_path, "bundle")
    return run.run_id


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

    side = 2 + 0.6 * len(names)
    figure = Figure(figsize=(side + 0.8, side), layout="constrained")
    axes = figure.subplots()
    largest = max(max(row) for row in matrix)
    axes.imshow(matrix, cmap="Blues", vmin=0)
    for row, counts in enumerate(matrix):
        for column, count in enumerate(counts):
            axes.text(
                column,
                row,
                str(count),
                ha="center",
                va="center",
                color="white" if count > largest / 2 else "black",
            )
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
    axes.set_yticks(range(len(names)), names)
    axes.set(xlabel="called", ylabel="was")
    return figure
