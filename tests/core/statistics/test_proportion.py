from __future__ import annotations

from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomalyos.core.statistics.proportion import (
    Standing,
    exact_interval,
    exact_intervals,
    share,
    shares,
    standing,
)


@st.composite
def counted(draw: st.DrawFn, largest: int = 400) -> tuple[int, int]:
    total = draw(st.integers(0, largest))
    return draw(st.integers(0, total)), total


def at_least(hits: int, total: int, p: float) -> float:
    """Probability of ``hits`` or more, summed term by term."""
    return sum(comb(total, k) * p**k * (1 - p) ** (total - k) for k in range(hits, total + 1))


def by_bisection(hits: int, total: int, tail: float) -> tuple[float, float]:
    """The definition of Clopper and Pearson: each bound leaves ``tail`` of probability beyond the count."""

    def search(too_low: object) -> float:
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if too_low(middle) else (low, middle)
        return low

    lower = search(lambda p: at_least(hits, total, p) < tail) if hits else 0.0
    upper = search(lambda p: 1 - at_least(hits + 1, total, p) > tail) if hits < total else 1.0
    return lower, upper


@settings(deadline=None)  # the first call imports SciPy
@given(counted(), st.floats(0.5, 0.999))
def test_the_interval_holds_the_share_and_stays_within_bounds(
    case: tuple[int, int], confidence: float
) -> None:
    hits, total = case
    low, high = exact_interval(hits, total, confidence)
    assert 0 <= low <= high <= 1
    if total:
        assert low <= hits / total <= high
    else:
        assert (low, high) == (0, 1)


@settings(deadline=None)  # the first call imports SciPy
@given(counted(largest=40))
def test_the_interval_is_what_its_definition_says(case: tuple[int, int]) -> None:
    hits, total = case
    if total:
        assert exact_interval(hits, total) == pytest.approx(by_bisection(hits, total, 0.025), abs=1e-9)


@settings(deadline=None)  # the first call imports SciPy
@given(counted())
def test_hits_and_misses_mirror_each_other(case: tuple[int, int]) -> None:
    hits, total = case
    low, high = exact_interval(hits, total)
    assert exact_interval(total - hits, total) == pytest.approx((1 - high, 1 - low), abs=1e-9)


@settings(deadline=None)  # the first call imports SciPy
@given(st.lists(counted(), max_size=6))
def test_many_at_once_are_the_same_as_one_by_one(cases: list[tuple[int, int]]) -> None:
    together = shares([hits for hits, _ in cases], [total for _, total in cases])
    assert together == [share(hits, total) for hits, total in cases]


def test_known_values() -> None:
    found = share(12, 240)
    assert (found.low, found.high) == pytest.approx((0.0261, 0.0857), abs=1e-4)
    assert found.value == 0.05
    assert share(0, 0).value is None


@pytest.mark.parametrize(
    ("hits", "totals", "confidence"),
    [([3], [2], 0.95), ([-1], [2], 0.95), ([1, 2], [3], 0.95), ([1], [2], 1)],
)
def test_impossible_counts_are_refused(hits: list[int], totals: list[int], confidence: float) -> None:
    with pytest.raises(ValueError):
        exact_intervals(hits, totals, confidence)


@pytest.mark.parametrize(
    ("alarms", "open_items", "normals", "expected"),
    [
        (0, 0, 100, Standing.KEPT),  # the upper end is 3.6 %
        (0, 0, 50, Standing.NOT_SHOWN),  # 7.1 %
        (0, 10, 100, Standing.NOT_SHOWN),  # all ten may turn out to be false alarms
        (5, 0, 100, Standing.NOT_SHOWN),
        (30, 0, 100, Standing.BROKEN),
        (30, 500, 100, Standing.BROKEN),  # whatever becomes of the open ones
        (0, 0, 0, Standing.NOT_SHOWN),
    ],
)
def test_a_promise_of_five_percent(alarms: int, open_items: int, normals: int, expected: Standing) -> None:
    at_worst = share(alarms + open_items, normals + open_items)
    assert standing(share(alarms, normals), at_worst, 0.05) is expected


@settings(deadline=None)  # the first call imports SciPy
@given(counted(), st.floats(0, 1))
def test_a_promise_is_never_kept_and_broken(case: tuple[int, int], promised: float) -> None:
    found = share(*case)
    answer = standing(found, found, promised)
    if answer is Standing.KEPT:
        assert found.value is not None
        assert found.value <= promised
    if answer is Standing.BROKEN:
        assert found.value is not None
        assert found.value > promised
