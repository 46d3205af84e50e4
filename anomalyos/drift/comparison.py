"""Evidently's distances between two windows, and its page with the distributions behind them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from anomalyos.drift.rules import CATEGORY, METRICS, NUMBERS, Metrics
from anomalyos.drift.windows import Observation

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


@dataclass(frozen=True)
class DriftFigure:
    """One distance between the windows."""

    metric: str
    """One of ``drift_rules.METRICS``."""
    method: str
    value: float
    threshold: float

    @property
    def drifted(self) -> bool:
        return self.value >= self.threshold

    def to_json(self) -> dict[str, Any]:
        return {
            "metric": self.metric,
            "method": self.method,
            "value": self.value,
            "threshold": self.threshold,
            "drifted": self.drifted,
        }


@dataclass(frozen=True)
class Comparison:
    figures: list[DriftFigure]
    """One per metric, in the order of ``drift_rules.METRICS``."""
    page: str
    """HTML that needs no network."""


def compare(reference: Sequence[Observation], current: Sequence[Observation], rules: Metrics) -> Comparison:
    """Distances of ``current`` from ``reference``; each holds at least two records."""
    from evidently import DataDefinition, Dataset, Report
    from evidently.metrics import ValueDrift

    before, after = tables(reference, current)
    definition = DataDefinition(numerical_columns=list(NUMBERS), categorical_columns=[CATEGORY])
    chosen = {name: getattr(rules, name) for name in METRICS}
    report = Report(
        [
            ValueDrift(column=name, method=rule.method, threshold=rule.threshold)
            for name, rule in chosen.items()
        ]
    )
    snapshot = report.run(
        current_data=Dataset.from_pandas(after, data_definition=definition),
        reference_data=Dataset.from_pandas(before, data_definition=definition),
    )
    values = [metric["value"] for metric in snapshot.dict()["metrics"]]
    figures = [
        DriftFigure(name, rule.method, round(float(value), 6), rule.threshold)
        for (name, rule), value in zip(chosen.items(), values, strict=True)
    ]
    return Comparison(figures, snapshot.get_html_str(as_iframe=False))


def tables(
    reference: Sequence[Observation], current: Sequence[Observation]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both windows as Evidently wants them: one row a record, one column a metric.

    Score and sharpness stand as logarithms: their tails are heavy, and a few defects more in a window of a
    hundred would look like drift.
    """
    near, far = distances(
        np.stack([row.embedding for row in reference]), np.stack([row.embedding for row in current])
    )
    return _table(reference, near), _table(current, far)


def distances(
    reference: NDArray[np.float32], current: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far embeddings (N, C) and (M, C) lie from the mean of the reference: (N,) and (M,).

    In units of the median of the reference, so that 1 is usual. Each reference embedding is held against the
    mean of the others: its own share in the mean would make it look nearer than anything new.
    """
    own, new = reference.astype(np.float64), current.astype(np.float64)
    others = (own.sum(axis=0) - own) / (len(own) - 1)
    near = np.linalg.norm(own - others, axis=1)
    far = np.linalg.norm(new - own.mean(axis=0), axis=1)
    unit = max(float(np.median(near)), 1e-9)
    return near / unit, far / unit


def _table(rows: Sequence[Observation], embedding: NDArray[np.float64]) -> pd.DataFrame:
    import pandas as pd

    columns: dict[str, Any] = {
        "score": [math.log(max(row.score, 1e-6)) for row in rows],
        CATEGORY: [row.category for row in rows],
        "brightness": [row.brightness for row in rows],
        "sharpness": [math.log(max(row.sharpness, 1e-6)) for row in rows],
        "embedding": embedding,
    }
    return pd.DataFrame(columns)
