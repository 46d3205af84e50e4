"""MLflow as the memory of what was tried: one run for each model, trial and evaluation."""

from __future__ import annotations

import math
import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.settings import Settings

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mlflow import MlflowClient

PATCHCORE, CLASSIFIER, RETRIEVAL = "patchcore", "classifier", "retrieval"
"""The experiments."""
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
        marks = {"mlflow.runName": name, **(tags or {}), **({"mlflow.parentRunId": parent} if parent else {})}
        made = client.create_run(number, tags=marks)
        run = TrackedRun(client, made.info.run_id, str(made.info.artifact_uri))
        run.log_params(params or {})
    try:
        yield run
    except BaseException:
        client.set_terminated(run.run_id, "FAILED")
        raise
    client.set_terminated(run.run_id, "FINISHED")


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
