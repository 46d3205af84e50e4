"""Every version in MLflow: what went in, what came out, where it came from, and which one inspects."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from anomalyos.core.settings import PROJECT_ROOT, Settings
from anomalyos.db.engine import Store
from anomalyos.models import aliases
from anomalyos.models import versions as models
from anomalyos.models.aliases import KEY, NUMBER
from anomalyos.models.tables import ModelVersion
from anomalyos.models.tracking import (
    PATCHCORE,
    TrackedRun,
    TrackingUnreachable,
    experiment_id,
    reachable,
    tracked_run,
    tracking_client,
)
from anomalyos.patchcore.bundle import load_bundle

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mlflow.entities import Run

log = logging.getLogger(__name__)
CATEGORY = "anomalyos.category"
PLAIN = ("image_auroc", "image_ap", "pixel_auroc", "aupro")


def log_version(
    settings: Settings, store: Store, category: str, number: int, *, seconds: float | None = None
) -> dict[str, Any]:
    """Record version ``number`` of a category as a run and a registered model, once however often asked.

    MLflow that cannot be reached loses nothing: the version is there, and is recorded when this is asked
    again.

    Returns:
        JSON-able: ``run_id``, or ``error`` with what to do.
    """

    with store.session(read_only=True) as session:
        version = models.by_version(session, category, number)
    try:
        with reachable(settings):
            run_id = _logged(settings, category, version) or _log(settings, category, version, seconds)
            _note_gate(settings, run_id, version)
            aliases.register(settings, category, version, run_id)
            aliases.follow_pointer(settings, store, category)
    except TrackingUnreachable as error:
        log.warning("%s v%d is not in MLflow: %s", category, number, error)
        return {"error": str(error)}
    return {"run_id": run_id}


def _logged(settings: Settings, category: str, version: ModelVersion) -> str | None:
    """The finished run of these inputs; one that was killed half way is removed, to be written anew."""
    client = tracking_client(settings)
    number = experiment_id(client, settings, PATCHCORE)
    wanted = f"tags.`{KEY}` = '{version.content_key}' and tags.`{CATEGORY}` = '{category}'"
    finished: list[Run] = []
    for run in client.search_runs([number], wanted):
        if run.info.status == "FINISHED":
            finished.append(run)
        else:
            client.delete_run(run.info.run_id)
    return str(finished[-1].info.run_id) if finished else None


def _log(settings: Settings, category: str, version: ModelVersion, seconds: float | None) -> str:
    folder = settings.bundles_dir / version.bundle_path
    bundle = load_bundle(folder, version.bundle_sha256)
    figures = version.metrics
    tags = {
        KEY: version.content_key,
        CATEGORY: category,
        NUMBER: str(version.version),
        "anomalyos.data_hash": str(figures.get("data_hash", "")),
        "anomalyos.dag_run": version.run_id,
        "mlflow.source.git.commit": git_commit(),
    }
    params = {**bundle.recipe.model_dump(mode="json"), "alpha": version.alpha} | {
        f"trained_on_{name}": count for name, count in (figures.get("trained_on") or {}).items()
    }
    name = f"{category} v{version.version}"
    with tracked_run(settings, PATCHCORE, name, params=params, tags=tags) as run:
        run.log_metrics(flat_metrics(figures) | {"seconds": seconds, "bundle_bytes": bundle.size_bytes()})
        _log_figures(run, figures)
        run.log_artifact(folder, "bundle")
    return run.run_id


def flat_metrics(figures: Mapping[str, Any]) -> dict[str, float | None]:
    """Numbers of an evaluation under one name each."""
    found = {name: figures.get(name) for name in PLAIN}
    at = figures.get("at_threshold") or {}
    found |= {"f1": at.get("f1"), "threshold": at.get("threshold")}
    found["recall"] = (at.get("recall") or {}).get("rate")
    found["false_alarm_rate"] = (at.get("false_alarms") or {}).get("rate")
    found["latency_ms_p50"] = (figures.get("latency_ms") or {}).get("p50")
    found["bank_vectors"] = (figures.get("memory_bank") or {}).get("vectors")
    for name, drawn in (figures.get("bootstrap") or {}).items():
        if isinstance(drawn, dict):
            found |= {f"{name}_low95": drawn["low95"], f"{name}_high95": drawn["high95"]}
    return found


def _log_figures(run: TrackedRun, figures: Mapping[str, Any]) -> None:
    scores = figures.get("test_scores") or {}
    if scores.get("good") and scores.get("defective"):
        threshold = (figures.get("at_threshold") or {}).get("threshold")
        run.log_figure(score_figure(scores["good"], scores["defective"], threshold), "scores.png")
        run.log_figure(roc_figure(scores["good"], scores["defective"]), "roc.png")


def score_figure(good: list[float], defective: list[float], threshold: float | None) -> Figure:
    """Histogram of test scores, good and defective, with the threshold between them."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3.4), layout="constrained")
    axes = figure.subplots()
    axes.hist([good, defective], bins=30, label=["good", "defective"], color=["#0b6e69", "#9a4a1c"])
    if threshold is not None:
        axes.axvline(threshold, color="black", linestyle="--", label="threshold")
    axes.set(xlabel="score", ylabel="test images")
    axes.legend()
    return figure


def roc_figure(good: list[float], defective: list[float]) -> Figure:
    from matplotlib.figure import Figure
    from sklearn.metrics import roc_curve

    truth = [0] * len(good) + [1] * len(defective)
    false_alarms, recall, _ = roc_curve(truth, [*good, *defective])
    figure = Figure(figsize=(4, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(false_alarms, recall, color="#1f5fa8")
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8)
    axes.set(xlabel="false alarm rate", ylabel="recall", xlim=(0, 1), ylim=(0, 1.01))
    return figure


def _note_gate(settings: Settings, run_id: str, version: ModelVersion) -> None:
    """What the gate said, where people who look at experiments see it."""
    client = tracking_client(settings)
    words = {True: "passed", False: "refused", None: "not judged"}[version.gate_passed]
    client.set_tag(run_id, "anomalyos.gate", words)
    client.set_tag(run_id, "mlflow.note.content", f"Gate: {words}. {version.gate_reason}".strip())


def git_commit() -> str:
    """Commit of the code that runs; empty where it is not a checkout."""
    command = ["git", "-C", str(PROJECT_ROOT), "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
