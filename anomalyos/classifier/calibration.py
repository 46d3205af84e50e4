"""Probabilities that mean what they say, and the probability below which no name is given."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anomalyos.classifier.dataset import Labels
from anomalyos.core.arrays import Float64Array

BINS = 15
LOG_RANGE = 4.0
"""The temperature lies between e^-4 and e^4."""
NEVER = 1.01
"""The threshold of a classifier that cannot be right often enough: it never gives a name."""


def softmax(logits: Float64Array, temperature: float = 1.0) -> Float64Array:
    """Probabilities (N, classes) of logits divided by ``temperature``."""
    scaled = logits / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float64)


def softened(labels: Labels, classes: int) -> Float64Array:
    """What the probabilities (N, classes) are to aim at: a little less than certainty.

    Of n examples of a class the true one gets (n + 1) / (n + 2), the others share the rest (Platt 1999,
    "Probabilistic outputs for support vector machines", section 2.2). Without it a classifier that makes no
    mistake on a few examples would come out as certain of everything.
    """
    counts = np.bincount(labels, minlength=classes)[labels]
    rest = 1 / (counts + 2)
    found = np.repeat((rest / max(classes - 1, 1))[:, None], classes, axis=1)
    found[np.arange(len(labels)), labels] = 1 - rest
    return np.asarray(found, dtype=np.float64)


def cross_entropy(logits: Float64Array, aims: Float64Array, temperature: float) -> float:
    """Mean over the examples of -sum aims log softmax(logits / temperature), both (N, classes)."""
    scaled = logits / temperature
    scaled = scaled - scaled.max(axis=1, keepdims=True)
    logs = scaled - np.log(np.exp(scaled).sum(axis=1, keepdims=True))
    return float(-(aims * logs).sum(axis=1).mean())


def fit_temperature(logits: Float64Array, labels: Labels) -> float:
    """The temperature under which probabilities come nearest to ``softened`` labels (Guo et al. 2017, "On
    calibration of modern neural networks", section 4.2), of logits (N, classes) the network was not
    trained on.

    It changes no name: the likeliest class stays the likeliest.
    """
    from scipy.optimize import minimize_scalar

    aims = softened(labels, logits.shape[1])
    found = minimize_scalar(
        lambda log: cross_entropy(logits, aims, float(np.exp(log))),
        bounds=(-LOG_RANGE, LOG_RANGE),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return float(np.exp(found.x))


def cross_fitted(logits: Float64Array, labels: Labels, folds: Labels) -> Float64Array:
    """Probabilities (N, classes), each fold under the temperature of the others: what calibration is worth
    on examples it was not fitted to."""
    found = np.empty_like(logits)
    for fold in np.unique(folds):
        own = folds == fold
        temperature = fit_temperature(logits[~own], labels[~own])
        found[own] = softmax(logits[own], temperature)
    return found


def expected_calibration_error(probabilities: Float64Array, labels: Labels, bins: int = BINS) -> float:
    """Mean gap between confidence and accuracy over equally wide bins (Guo et al. 2017, Eq. 3)."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    place = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    counts = np.bincount(place, minlength=bins)
    gaps = np.bincount(place, right, bins) - np.bincount(place, confidence, bins)
    return float(np.abs(gaps).sum() / counts.sum())


@dataclass(frozen=True)
class Threshold:
    """From which probability on a name is given, and what that came to where it was chosen."""

    value: float
    coverage: float
    """Share of examples that got a name."""
    accuracy: float | None
    """Share of those names that were right; None when none was given."""


def choose_threshold(confidence: Float64Array, right: NDArray[np.bool_], least_accuracy: float) -> Threshold:
    """The lowest threshold at which at least ``least_accuracy`` of the given names are right.

    Args:
        confidence: (N,) probability of the likeliest class.
        right: (N,) whether that class is the true one.
    """
    order = np.argsort(-confidence, kind="stable")
    accuracy = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    ranked = confidence[order]
    # examples of equal confidence are named together or not at all
    last = np.append(ranked[1:] != ranked[:-1], True)
    enough = np.flatnonzero(last & (accuracy >= least_accuracy))
    if not len(enough):
        return Threshold(NEVER, 0.0, None)
    place = int(enough[-1])
    return Threshold(float(ranked[place]), (place + 1) / len(order), float(accuracy[place]))
