"""The figures of one version, all from networks that had not seen the part they name."""

from __future__ import annotations

from typing import Any

import numpy as np

from anomalyos.classifier import calibration, scores
from anomalyos.classifier.dataset import DefectSet, Labels
from anomalyos.classifier.options import TrainingOptions
from anomalyos.core.arrays import Float64Array


def measure(data: DefectSet, logits: Float64Array, folds: Labels, options: TrainingOptions) -> dict[str, Any]:
    """JSON-able figures of out-of-fold logits (N, classes).

    The hyperparameters were chosen by these same folds, so they flatter a little; the benchmark
    ``classifier`` measures with an outer split what that is worth.
    """
    labels, names = data.labels, data.classes
    given = np.asarray(logits.argmax(axis=1), dtype=np.int64)
    temperature = calibration.fit_temperature(logits, labels)
    probabilities = calibration.softmax(logits, temperature)
    right = given == labels
    threshold = calibration.choose_threshold(probabilities.max(axis=1), right, options.least_accuracy)
    before = calibration.expected_calibration_error(calibration.softmax(logits), labels)
    after = calibration.expected_calibration_error(calibration.cross_fitted(logits, labels, folds), labels)
    blind = np.full(len(labels), np.bincount(labels).argmax(), dtype=np.int64)
    return {
        "cases": len(labels),
        "photographs": len({example.photograph for example in data.examples}),
        "parts": len(set(data.parts)),
        "macro_f1": scores.with_interval(labels, given, len(names), data.parts),
        "majority_macro_f1": round(scores.macro_f1(labels, blind, len(names)), 5),
        "chance_macro_f1": round(1 / len(names), 5),
        "accuracy": round(float(right.mean()), 5),
        "by_class": scores.by_class(labels, given, names),
        "confusion": scores.confusion(labels, given, len(names)).astype(int).tolist(),
        "ece_before": round(before, 5),
        "ece_after": round(after, 5),
        "temperature": temperature,
        "threshold": threshold.value,
        "coverage": round(threshold.coverage, 5),
        "accuracy_of_named": None if threshold.accuracy is None else round(threshold.accuracy, 5),
        "least_accuracy": options.least_accuracy,
    }
