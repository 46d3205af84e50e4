"""Evidently's distances against naive ones, and what must never count as drift."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.spatial.distance import jensenshannon
from scipy.stats import wasserstein_distance

from anomalyos.drift.comparison import Comparison, compare, distances, tables
from anomalyos.drift.rules import METRICS, Metrics
from anomalyos.drift.windows import Observation

DIMENSIONS = 24


def observations(seed: int, count: int, **moved: float) -> list[Observation]:
    """``moved`` is by how many standard deviations; ``category`` is the share that goes astray."""
    rng = np.random.default_rng(seed)
    astray = round(count * moved.get("category", 0.0))
    rows = []
    for number in range(count):
        vector = rng.normal(0.2, 0.004, DIMENSIONS) + 0.004 * moved.get("embedding", 0.0)
        rows.append(
            Observation(
                score=float(rng.normal(2, 0.3) + 0.3 * moved.get("score", 0.0)),
                category="unknown" if number < astray else "dots",
                brightness=float(rng.normal(120, 2) + 2 * moved.get("brightness", 0.0)),
                sharpness=float(rng.normal(300, 20) + 20 * moved.get("sharpness", 0.0)),
                embedding=vector.astype(np.float32),
            )
        )
    return rows


def values(found: Comparison) -> dict[str, float]:
    return {figure.metric: figure.value for figure in found.figures}


def drifted(found: Comparison) -> set[str]:
    return {figure.metric for figure in found.figures if figure.drifted}


def test_distances_are_those_of_a_naive_computation() -> None:
    moved = {"score": 1.0, "category": 0.2, "embedding": 0.6}
    before, after = observations(1, 80), observations(2, 60, **moved)
    found = compare(before, after, Metrics())
    assert [figure.metric for figure in found.figures] == list(METRICS)
    for name, scale in (("score", np.log), ("brightness", np.asarray), ("sharpness", np.log)):
        ours, theirs = (scale([getattr(row, name) for row in rows]) for rows in (before, after))
        expected = wasserstein_distance(ours, theirs) / np.std(ours)
        assert values(found)[name] == pytest.approx(expected, rel=0.01)
    counts = [Counter(row.category for row in rows) for rows in (before, after)]
    shares = [[own[name] / own.total() for name in ("dots", "unknown")] for own in counts]
    assert values(found)["category"] == pytest.approx(jensenshannon(*shares), rel=0.01)
    near, far = naive_distances(before, after)
    expected = wasserstein_distance(near, far) / np.std(near)
    assert values(found)["embedding"] == pytest.approx(expected, rel=0.01)


def naive_distances(before: list[Observation], after: list[Observation]) -> tuple[list[float], list[float]]:
    near = []
    for row in before:
        mean = np.mean([other.embedding for other in before if other is not row], axis=0, dtype=float)
        near.append(float(np.sqrt(((row.embedding - mean) ** 2).sum())))
    mean = np.mean([row.embedding for row in before], axis=0, dtype=float)
    far = [float(np.sqrt(((row.embedding - mean) ** 2).sum())) for row in after]
    unit = float(np.median(near))
    return [value / unit for value in near], [value / unit for value in far]


@pytest.mark.parametrize("seed", range(6))
def test_the_smallest_windows_of_the_same_line_do_not_drift(seed: int) -> None:
    assert drifted(compare(observations(seed, 200), observations(100 + seed, 100), Metrics())) == set()


@pytest.mark.parametrize(
    ("metric", "by"),
    [("score", 1.5), ("category", 0.15), ("brightness", -1.5), ("sharpness", -1.5), ("embedding", 1.5)],
)
def test_each_metric_notices_its_own_and_nothing_else(metric: str, by: float) -> None:
    found = compare(observations(3, 200), observations(4, 100, **{metric: by}), Metrics())
    assert drifted(found) == {metric}


def test_the_page_needs_no_network_and_shows_every_metric() -> None:
    page = compare(observations(5, 50), observations(6, 50), Metrics()).page
    assert page.lstrip().lower().startswith(("<!doctype", "<html"))
    for name in METRICS:
        assert name in page
    assert 'src="http' not in page
    assert "<link" not in page


@given(
    vectors=arrays(np.float32, (12, 3), elements=st.floats(-1, 1, width=32)),
    turned=st.integers(0, 11),
)
def test_a_reference_embedding_is_held_against_the_others(vectors: NDArray[np.float32], turned: int) -> None:
    near, far = distances(vectors, vectors)
    mean = vectors.astype(float).mean(axis=0)
    alone = np.linalg.norm(vectors[turned] - mean)
    # leaving a vector out of the mean of n moves it away by n / (n - 1)
    unit = max(float(np.median(np.linalg.norm(vectors - mean, axis=1))) * 12 / 11, 1e-9)
    assert near[turned] == pytest.approx(alone * 12 / 11 / unit, rel=1e-6, abs=1e-6)
    assert far[turned] == pytest.approx(alone / unit, rel=1e-6, abs=1e-6)


def test_what_never_varies_is_no_division_by_zero() -> None:
    rows = [Observation(1.0, "dots", 1.0, 1.0, np.full(4, 0.5, np.float32)) for _ in range(12)]
    assert drifted(compare(rows, rows, Metrics())) == set()
    assert tables(rows, rows)[0]["embedding"].tolist() == [0.0] * 12
