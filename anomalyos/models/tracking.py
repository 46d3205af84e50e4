"""MLflow as the memory of what was tried: one run for each model, trial and evaluation."""

from __future__ import annotations

import logging
import math
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.settings import PROJECT_ROOT, Settings

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mlflow import MlflowClient
    from mlflow.entities import Run

log = logging.getLogger(__name__)
PATCHCORE, CLASSIFIER, RETRIEVAL = "patchcore", "classifier", "retrieval"
"""The experiments."""
KEY, CATEGORY, NUMBER = "anomalyos.content_key", "anomalyos.category", "anomalyos.version"
"""Tags that tell a version's run from others."""
PARENT, NOTE = "mlflow.parentRunId", "mlflow.note.content"
PATIENCE_S = 10
"""Longest wait for one answer of a tracking server; a rebuild must not hang on it."""
_LONGEST_VALUE = 6000
"""MLflow refuses longer parameters."""
_CREDENTIALS = re.compile(r"//[^/@\s]+@")


class TrackingUnreachable(AnomalyOSError):
    """MLflow could not be asked; whatever was to be tracked is not lost by it."""


@dataclass(frozen=True)
class TrackedRun:
    """A run that is being written."""

    client: MlflowClient
    run_id: str
    artifact_uri: str

    def log_params(self, values: Mapping[str, Any]) -> None:
        from mlflow.entities import Param

        params = [Param(name, str(value)[:_LONGEST_VALUE]) for name, value in values.items()]
        self.client.log_batch(self.run_id, params=params)

    def log_metrics(self, values: Mapping[str, float | int | None], step: int | None = None) -> None:
        """Numbers by name; what could not be measured (None, NaN) is left out."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        metrics = [
            Metric(name, float(value), now, step or 0)
            for name, value in values.items()
            if value is not None and math.isfinite(value)
        ]
        self.client.log_batch(self.run_id, metrics=metrics)

    def log_artifact(self, path: Path, folder: str = "") -> None:
        """A file, or all of a folder, under ``folder`` of the run's files."""
        log = self.client.log_artifacts if path.is_dir() else self.client.log_artifact
        log(self.run_id, str(path), folder or None)

    def log_figure(self, figure: Figure, name: str) -> None:
        """A matplotlib figure as ``name``, for example ``roc.png``."""
        self.client.log_figure(self.run_id, figure, name)

    def log_text(self, text: str, name: str) -> None:
        self.client.log_text(self.run_id, text, name)

    def set_tag(self, name: str, value: str) -> None:
        self.client.set_tag(self.run_id, name, value)


def tracking_client(settings: Settings) -> MlflowClient:
    """A client of the configured MLflow; nothing global is changed and nothing is asked yet.

    Raises:
        TrackingUnreachable: the address cannot be that of an MLflow.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", str(PATIENCE_S))
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    uri = settings.resolved_tracking_uri()
    try:
        return MlflowClient(tracking_uri=uri, registry_uri=uri)
    except MlflowException as error:
        raise _unreachable(settings, error) from error


def experiment_id(client: MlflowClient, settings: Settings, name: str) -> str:
    """Id of the experiment, made when it is not there; safe when two processes make it at once."""
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    own = settings.resolved_tracking_uri().startswith("sqlite:")
    location = (settings.mlflow_artifacts_dir / name).as_uri() if own else None
    try:
        return str(client.create_experiment(name, artifact_location=location))
    except MlflowException:
        found = client.get_experiment_by_name(name)
        if found is None:
            raise
        return str(found.experiment_id)


@contextmanager
def tracked_run(
    settings: Settings,
    experiment: str,
    name: str,
    *,
    params: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
    parent: str | None = None,
) -> Iterator[TrackedRun]:
    """A run of ``experiment``, ended as finished, or as failed when the block raises.

    Args:
        params: what was chosen, for example ``{"coreset_ratio": 0.1}``.
        tags: what it belongs to; ``parent`` nests it under another run.

    Raises:
        TrackingUnreachable: MLflow does not answer; the block has not run then.
    """
    with reachable(settings):
        client = tracking_client(settings)
        number = experiment_id(client, settings, experiment)
        marks = {"mlflow.runName": name, **(tags or {}), **({PARENT: parent} if parent else {})}
        made = client.create_run(number, tags=marks)
        run = TrackedRun(client, made.info.run_id, str(made.info.artifact_uri))
        run.log_params(params or {})
    try:
        yield run
    except BaseException:
        client.set_terminated(run.run_id, "FAILED")
        raise
    client.set_terminated(run.run_id, "FINISHED")


class Version(Protocol):
    """What a version of a model and one of a classifier have in common."""

    version: int
    content_key: str
    run_id: str
    metrics: dict[str, Any]


def log_once(
    settings: Settings,
    experiment: str,
    category: str,
    version: Version,
    write: Callable[[TrackedRun], None],
    after: Callable[[str], None],
) -> dict[str, Any]:
    """Record a version as a run of ``experiment``, once however often asked.

    MLflow that cannot be reached loses nothing: the version is in the database, and is recorded when this is
    asked again.

    Args:
        write: fills the run when there is none yet.
        after: called each time, with the run's id.

    Returns:
        JSON-able: ``run_id``, or ``error`` with what to do.
    """
    tags = {KEY: version.content_key, CATEGORY: category}
    origin = {
        NUMBER: str(version.version),
        "anomalyos.data_hash": str(version.metrics.get("data_hash", "")),
        "anomalyos.dag_run": version.run_id,
        "mlflow.source.git.commit": git_commit(),
    }
    name = f"{category} v{version.version}"
    try:
        with reachable(settings):
            known = finished_run(settings, experiment, tags)
            if known is None:
                with tracked_run(settings, experiment, name, tags=tags | origin) as run:
                    write(run)
            run_id = run.run_id if known is None else str(known.info.run_id)
            after(run_id)
    except TrackingUnreachable as error:
        log.warning("%s of the experiment %s is not in MLflow: %s", name, experiment, error)
        return {"error": str(error)}
    return {"run_id": run_id}


def finished_run(settings: Settings, experiment: str, tags: Mapping[str, str]) -> Run | None:
    """The finished run with these tags; one that was killed half way is removed, with the runs under it."""
    client = tracking_client(settings)
    number = experiment_id(client, settings, experiment)
    wanted = " and ".join(f"tags.`{name}` = '{value}'" for name, value in tags.items())
    finished = None
    for run in client.search_runs([number], wanted):
        if run.info.status == "FINISHED":
            finished = run
            continue
        for child in client.search_runs([number], f"tags.`{PARENT}` = '{run.info.run_id}'"):
            client.delete_run(child.info.run_id)
        client.delete_run(run.info.run_id)
    return finished


def git_commit() -> str:
    """Commit of the code that runs; empty where it is not a checkout."""
    command = ["git", "-C", str(PROJECT_ROOT), "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


@contextmanager
def reachable(settings: Settings) -> Iterator[None]:
    """Turns what goes wrong with MLflow inside the block into ``TrackingUnreachable``."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, SQLAlchemyError, OSError) as error:
        raise _unreachable(settings, error) from error


def _unreachable(settings: Settings, error: Exception) -> TrackingUnreachable:
    first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    where = settings.resolved_tracking_uri()
    return TrackingUnreachable(
        _without_password(f"MLflow at {where} could not be used: {first[:300]}"),
        "Start it, or correct MLFLOW_TRACKING_URI; what was built is kept and can be tracked again.",
    )


def _without_password(text: str) -> str:
    return _CREDENTIALS.sub("//…@", text)
