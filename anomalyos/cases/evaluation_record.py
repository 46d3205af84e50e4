"""Retrieval measured again and again, each time kept as a run in MLflow."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from anomalyos.cases.evaluation import evaluate_retrieval
from anomalyos.core.errors import AnomalyOSError, NotFound
from anomalyos.core.progress import StepProgress
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.models import versions as model_versions
from anomalyos.models.tracking import RETRIEVAL, finished_run, reachable, tracked_run
from anomalyos.products.selection import choose_categories

KEY = "anomalyos.models.evaluation"


def measurable(settings: Settings, store: Store) -> list[str]:
    """Products that have images here and a model.

    Raises:
        NotFound: there is none.
    """
    with store.session(read_only=True) as session:
        names = [name for name in choose_categories(settings, []) if model_versions.champion(session, name)]
    if not names:
        raise NotFound("No product has a model yet.", "Run rebuild_indexes first.")
    return names


def record_retrieval(
    names: Sequence[str], settings: Settings, store: Store, *, key: str, progress: StepProgress | None = None
) -> dict[str, Any]:
    """Measure retrieval over ``names`` and keep the figures as a run of the experiment ``retrieval``.

    Args:
        key: what tells this evaluation from others; asked again with the same key, a finished run answers.

    Returns:
        JSON-able: ``run_id``, ``measured`` (False when it was known) and ``metrics``.

    Raises:
        TrackingUnreachable: MLflow cannot keep the figures.
        AnomalyOSError: there is no labelled defect to ask with.
    """
    known = _finished(settings, key)
    if known is not None:
        return known
    result = evaluate_retrieval(names, settings, store, progress)
    metrics = dict(_flat(result))
    if not metrics:
        raise AnomalyOSError(
            "No figure came of it: the products have no labelled defects.",
            "Put defective images under test/TYPE of a product's folder.",
        )
    params = {"embedder": result["embedder"]["name"], "categories": ", ".join(names)}
    with (
        reachable(settings),
        tracked_run(settings, RETRIEVAL, f"weekly {key}", params=params, tags={KEY: key}) as run,
    ):
        run.log_metrics(metrics)
        run.log_text(json.dumps(result, indent=1), "retrieval.json")
    return {"run_id": run.run_id, "measured": True, "metrics": metrics}


def _finished(settings: Settings, key: str) -> dict[str, Any] | None:
    """The run an earlier try finished; what it left half written is removed."""
    with reachable(settings):
        found = finished_run(settings, RETRIEVAL, {KEY: key})
    if found is None:
        return None
    return {"run_id": found.info.run_id, "measured": False, "metrics": dict(found.data.metrics)}


def _flat(result: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """``SET/MODE/FIGURE`` as asked in use: with the region, apart by image."""
    for name, kinds in result["sets"].items():
        for mode, row in kinds["region"]["image"].items():
            for figure in ("p_at_1", "p_at_5", "mrr"):
                if row is not None and row.get(figure) is not None:
                    yield f"{name}/{mode}/{figure}", float(row[figure])
    if result["router"].get("accuracy") is not None:
        yield "router/accuracy", float(result["router"]["accuracy"])
