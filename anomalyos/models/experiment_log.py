"""Every version in MLflow: what went in, what came out, where it came from, and which one inspects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.models import aliases
from anomalyos.models import versions as model_versions
from anomalyos.models.tracking import NOTE, PATCHCORE, TrackedRun, log_once, tracking_client
from anomalyos.patchcore.bundle import load_bundle

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PLAIN = ("image_auroc", "image_ap", "pixel_auroc", "aupro")


def log_version(
    settings: Settings, store: Store, category: str, number: int, *, seconds: float | None = None
) -> dict[str, Any]:
    """Record version ``number`` of a category as a run and a registered model, as ``log_once``."""
    with store.session(read_only=True) as session:
        version = model_versions.by_version(session, category, number)

    def write(run: TrackedRun) -> None:
        folder = settings.bundles_dir / version.bundle_path
        bundle = load_bundle(folder, version.bundle_sha256)
        figures = version.metrics
        trained_on = figures.get("trained_on") or {}
        run.log_params({**bundle.recipe.model_dump(mode="json"), "alpha": version.alpha})
        run.log_params({f"trained_on_{name}": count for name, count in trained_on.items()})
        run.log_metrics(flat_metrics(figures) | {"seconds": seconds, "bundle_bytes": bundle.size_bytes()})
        _log_figures(run, figures)
        run.log_artifact(folder, "bundle")

    def after(run_id: str) -> None:
        client = tracking_client(settings)
        words = {True: "passed", False: "refused", None: "not judged"}[version.gate_passed]
        client.set_tag(run_id, "anomalyos.gate", words)
        client.set_tag(run_id, NOTE, f"Gate: {words}. {version.gate_reason}".strip())
        aliases.register(settings, category, version, run_id)
        aliases.follow_pointer(settings, store, category)

    return log_once(settings, PATCHCORE, category, version, write, after)


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
    for row in (figures.get("tuning") or {}).get("candidates", ()):
        found[f"tuning_auroc_{row['recipe']}"] = row["auroc"]
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
    from sklearn.metrics import RocCurveDisplay

    figure = Figure(figsize=(4, 4), layout="constrained")
    truth = [0] * len(good) + [1] * len(defective)
    drawn = RocCurveDisplay.from_predictions(
        truth, [*good, *defective], ax=figure.subplots(), name="model", plot_chance_level=True
    )
    drawn.ax_.set(xlabel="false alarm rate", ylabel="recall")
    return figure
