"""How good names are: confusion matrix, macro F1, and how far they would move with other photographs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from anomalyos.classifier.dataset import Labels
from anomalyos.core.arrays import Float64Array

REPLICATES = 1000
SEED = 0


def confusion(
    truth: Labels, given: Labels, classes: int, weights: Float64Array | None = None
) -> Float64Array:
    """(classes, classes): rows are what it was, columns what it was called."""
    cells = np.bincount(truth * classes + given, weights, classes * classes)
    return np.asarray(cells.reshape(classes, classes), dtype=np.float64)


def f1_by_class(matrix: Float64Array) -> Float64Array:
    """(classes,); NaN for a class that does not occur."""
    occurs, called = matrix.sum(axis=1), matrix.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = 2 * np.diag(matrix) / (occurs + called)
    return np.where(occurs > 0, found, np.nan)


def macro_f1(truth: Labels, given: Labels, classes: int, weights: Float64Array | None = None) -> float:
    """Mean F1 over the classes that occur in ``truth``; NaN when nothing does."""
    by_class = f1_by_class(confusion(truth, given, classes, weights))
    return float(np.nanmean(by_class)) if np.isfinite(by_class).any() else float("nan")


def part_draws(parts: Sequence[str], count: int = REPLICATES, seed: int = SEED) -> Float64Array:
    """How often each example was drawn, (count, N), whole parts being drawn with replacement.

    Crops of one part are no independent evidence (cluster bootstrap, Davison and Hinkley 1997, section 3.8).
    """
    _, member = np.unique(np.asarray(parts), return_inverse=True)
    number = int(member.max()) + 1
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(number, np.full(number, 1 / number), count)
    return np.asarray(drawn[:, member], dtype=np.float64)


def replicates(truth: Labels, given: Labels, classes: int, draws: Float64Array) -> Float64Array:
    """Macro F1 of each replicate, (B,)."""
    return np.array([macro_f1(truth, given, classes, weights) for weights in draws])


def interval(values: Float64Array) -> tuple[float, float]:
    """95 % percentile interval."""
    low, high = np.nanquantile(values, [0.025, 0.975])
    return float(low), float(high)


def with_interval(truth: Labels, given: Labels, classes: int, parts: Sequence[str]) -> dict[str, float]:
    """JSON-able ``value``, ``low95`` and ``high95`` of macro F1."""
    low, high = interval(replicates(truth, given, classes, part_draws(parts)))
    value = macro_f1(truth, given, classes)
    return {"value": round(value, 5), "low95": round(low, 5), "high95": round(high, 5)}


def by_class(truth: Labels, given: Labels, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """JSON-able precision, recall, F1 and number of examples of each class."""
    matrix = confusion(truth, given, len(names))
    f1 = f1_by_class(matrix)
    rows = {}
    for place, name in enumerate(names):
        right, occurs, called = matrix[place, place], matrix[place].sum(), matrix[:, place].sum()
        rows[name] = {
            "precision": round(right / called, 5) if called else None,
            "recall": round(right / occurs, 5) if occurs else None,
            "f1": round(float(f1[place]), 5) if occurs else None,
            "cases": int(occurs),
        }
    return rows
