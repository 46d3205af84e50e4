"""Retraining: what the form asks for, one category after the other, and the outcome in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from anomalyos.classifier.dataset import NotEnoughDefects
from anomalyos.classifier.train import train_classifier
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.learning.rebuild import Progress, rebuild_category
from anomalyos.learning.rebuild_options import RebuildOptions
from anomalyos.learning.rebuild_plan import RebuildFailed, require_results, without_result
from anomalyos.models.experiment_log import log_version
from anomalyos.products.selection import choose_categories

DAG_ID = "retrain"


def plan_retraining(
    settings: Settings, wanted: Iterable[str], drifts: Sequence[Mapping[str, Any]] = ()
) -> list[str]:
    """The categories of a run: those that drifted when drift started it, else those asked for, else all.

    Raises:
        NotFound: naming every category that does not exist.
    """

    drifted = {str(drift["category"]) for drift in drifts}
    return choose_categories(settings, drifted or wanted)


def retrain_category(
    category: str,
    settings: Settings,
    store: Store,
    values: Mapping[str, Any],
    *,
    run_id: str = "",
    actor: str = "airflow",
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Build a challenger as the form says, let the gate judge it, and record both in MLflow.

    Args:
        values: fields of :class:`RebuildOptions` by name, and ``force``; others are ignored.

    Returns:
        As ``rebuild_category``, with ``tracking``: ``run_id`` in MLflow, or the ``error``.

    Raises:
        AnomalyOSError: as ``rebuild_category``.
    """

    result = rebuild_category(
        category,
        settings,
        store,
        run_id=run_id,
        actor=actor,
        force=bool(values.get("force")),
        options=RebuildOptions.of(dict(values)),
        progress=progress,
    )
    number = result.get("version")
    if number is None or result.get("dry_run"):
        return {**result, "tracking": {}}

    return {
        **result,
        "tracking": log_version(settings, store, category, number, seconds=result["seconds"]),
    }


def brief(result: Mapping[str, Any]) -> dict[str, Any]:
    """The result without its replicates and scores: small enough to hand from task to task."""
    metrics = result.get("metrics") or {}
    kept = {name: metrics.get(name) for name in ("image_auroc", "aupro", "test_hash", "data_hash")}
    return {**result, "metrics": kept}


def outcome(result: Mapping[str, Any]) -> str:
    """One line on one category: ``dots v3 inspects now. Image AUROC ...``."""
    name, number = result["category"], result.get("version")
    if result.get("dry_run"):
        made = f" v{number} is made of exactly this." if number else ""
        return f"{name}: {result['images']} images to learn, {result['reviewed']} of them reviewed.{made}"
    reason = (result.get("gate") or {}).get("reason", "")
    if result.get("promoted"):
        return f"{name} v{number} inspects now. {reason}".strip()
    if not result.get("created"):
        return f"{name}: nothing has changed since v{number}. {reason}".strip()
    return f"{name} v{number} was refused. {reason}".strip()


@dataclass(frozen=True)
class Naming:
    """What became of the classifiers that name defects."""

    asked: Sequence[str] | None = ()
    """Categories; None when the case index, which they are learned from, could not be refreshed."""
    results: Sequence[Mapping[str, Any]] = ()

    def failed(self) -> list[str]:
        return without_result(self.asked or (), self.results)


def fine_tune(
    category: str,
    settings: Settings,
    store: Store,
    *,
    trials: int,
    run_id: str = "",
    actor: str = "airflow",
) -> dict[str, Any]:
    """Train the classifier that names the category's defects; too few of them are no failure.

    Returns:
        JSON-able: ``category``, and ``version``, ``created``, ``promoted``, ``reason``; or ``too_few``, in
        words.

    Raises:
        AnomalyOSError: as ``train_classifier``.
    """

    try:
        found = train_classifier(category, settings, store, trials=trials, run_id=run_id, actor=actor)
    except NotEnoughDefects as error:
        return {"category": category, "too_few": str(error)}
    return {name: found[name] for name in ("category", "version", "created", "promoted", "reason")}


def naming_line(result: Mapping[str, Any]) -> str:
    """``dots: v2 names defects now. Macro F1 ...``."""
    if "too_few" in result:
        return f"Defect names: {result['too_few']}"
    name, number, reason = result["category"], result["version"], result["reason"]
    if result["promoted"]:
        return f"{name}: v{number} names defects now. {reason}".strip()
    if not result["created"]:
        return f"{name}: no defect was confirmed or renamed since names v{number}."
    return f"{name}: names v{number} were refused. {reason}".strip()


def drift_line(drift: Mapping[str, Any]) -> str:
    """``Started by drift of dots: brightness moved by 2.03.``, and whether it was a rehearsal."""
    made_up = f" {drift['injected']} of the records were injected." if drift.get("injected") else ""
    size = f"{float(drift['size']):.2f}"
    return f"Started by drift of {drift['category']}: {drift['metric']} moved by {size}.{made_up}"


def note(
    categories: Iterable[str],
    results: Sequence[Mapping[str, Any]],
    drifts: Sequence[Mapping[str, Any]] = (),
    naming: Naming | None = None,
) -> str:
    """The whole run in words: what started it, then the failures, then the rest."""

    naming = naming or Naming()
    lines = [*map(drift_line, drifts)]
    lines += [f"{name}: failed, see the log of its task." for name in without_result(categories, results)]
    lines += [f"{name}: learning names of defects failed, see the log." for name in naming.failed()]
    lines += ["Known defects could not be refreshed, see the log."] if naming.asked is None else []
    lines += [*map(outcome, results), *map(naming_line, naming.results)]
    return "\n".join(lines) or "There was nothing to do."


def summarise(
    categories: list[str], results: Sequence[Mapping[str, Any]], naming: Naming | None = None
) -> dict[str, Any]:
    """Names of what was promoted, refused and left as it was.

    Raises:
        RebuildFailed: naming the categories without a result, or whose defect names have none.
    """

    naming = naming or Naming()
    require_results(categories, results)
    if naming.asked is None:
        raise RebuildFailed("Known defects could not be refreshed.", "The log of index_cases says why.")
    require_results(list(naming.asked), naming.results)
    made = [result for result in results if result.get("created")]
    return {
        "promoted": sorted(result["category"] for result in results if result.get("promoted")),
        "refused": sorted(result["category"] for result in made if not result.get("promoted")),
        "unchanged": sorted(set(categories) - {result["category"] for result in made}),
        "note": note(categories, results, naming=naming),
    }
