"""SHAP: how much each readable figure moves the score away from that of a normal photograph."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anomalyos.explain.evidence import ShapExplanation, ShapValue
from anomalyos.explain.readable import FEATURES
from anomalyos.explain.surrogate import Surrogate, on_grid

ROUNDING = 1e-5
"""Share of the sum that single precision may lose; more would be a fault and is raised."""


def shapley_values(surrogate: Surrogate, features: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Base and contributions (5,) of one photograph's figures (5,), in units of the score.

    Interventional SHAP values of the surrogate's trees (Lundberg et al. 2020), exact: the base is the
    surrogate's mean over undamaged normal photographs, and base plus contributions is its output.

    Raises:
        ArithmeticError: when they do not add up within single precision.
    """
    row = on_grid(features)[None]
    found = np.asarray(surrogate.explainer.shap_values(row, check_additivity=False)[0], dtype=np.float64)
    base = float(surrogate.predict(surrogate.background).mean())
    # shap weighs coalitions in single precision: what rounding left over is shared out by size
    left = float(surrogate.predict(features[None])[0]) - base - float(found.sum())
    size = np.abs(found)
    if abs(left) > ROUNDING * (abs(base) + float(size.sum())):
        raise ArithmeticError(f"SHAP values miss the surrogate's output by {left:.3g}")
    return base, found + left * (size / size.sum() if size.any() else 1 / len(found))


def explain_score(surrogate: Surrogate, features: NDArray[np.float64], score: float) -> ShapExplanation:
    """The figures (5,) of one photograph with their contributions, strongest first.

    Args:
        score: the real score, for comparison.
    """
    base, contributions = shapley_values(surrogate, features)
    values = [
        ShapValue(
            feature=feature.name,
            label=feature.label,
            value=float(value),
            unit=feature.unit,
            typical=float(typical),
            contribution=float(part),
        )
        for feature, value, typical, part in zip(
            FEATURES, features, surrogate.typical, contributions, strict=True
        )
    ]
    return ShapExplanation(
        base=base,
        output=float(surrogate.predict(features[None])[0]),
        score=float(score),
        values=tuple(sorted(values, key=lambda value: -abs(value.contribution))),
        fidelity=surrogate.fidelity,
    )
