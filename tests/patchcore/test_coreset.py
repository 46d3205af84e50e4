"""The lazily batched coreset against the loop it stands for."""

from __future__ import annotations

from unittest import mock

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from anomalyos.patchcore import coreset
from anomalyos.patchcore.coreset import coreset_size, greedy_coreset, project


def naive_coreset(features: torch.Tensor, count: int, start: int = 0) -> list[int]:
    """One pick at a time, every distance updated after each."""
    picked = [start]
    gaps = torch.cdist(features.double(), features[start : start + 1].double())[:, 0]
    gaps[start] = -1
    while len(picked) < count:
        best = int(gaps.argmax())
        picked.append(best)
        gaps = torch.minimum(gaps, torch.cdist(features.double(), features[best : best + 1].double())[:, 0])
        gaps[best] = -1
    return picked


def covering_radius(features: torch.Tensor, picked: list[int]) -> float:
    return float(torch.cdist(features.double(), features[picked].double()).amin(dim=1).max())


@settings(max_examples=40, deadline=None)
@given(
    rows=st.integers(1, 300),
    dims=st.integers(1, 24),
    share=st.floats(0.01, 1.0),
    seed=st.integers(0, 10_000),
    pool=st.sampled_from([1, 2, 7, 64, coreset.POOL]),
    chunk=st.sampled_from([1, 13, 100, coreset.ROWS]),
)
def test_same_picks_as_the_naive_loop(
    rows: int, dims: int, share: float, seed: int, pool: int, chunk: int
) -> None:
    """Small pools end before they are used up, and small chunks end inside the rows: both are passed here."""
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(rows, dims, generator=generator)
    count = max(1, round(rows * share))
    with mock.patch.multiple(coreset, POOL=pool, ROWS=chunk, LEAST_ROWS=1):
        picked = greedy_coreset(features, count).tolist()
    expected = naive_coreset(features, count)
    if picked != expected:
        # single precision can swap two gaps that are equal to it: then another order is as right
        assert len(set(picked)) == count
        radius = covering_radius(features, expected)
        assert covering_radius(features, picked) == pytest.approx(radius, abs=5e-3)


def test_small_pool_gives_the_same_picks(monkeypatch: pytest.MonkeyPatch) -> None:
    features = torch.randn(2000, 16, generator=torch.Generator().manual_seed(3))
    expected = naive_coreset(features, 200)
    for pool in (1, 7, 64):
        monkeypatch.setattr(coreset, "POOL", pool)
        assert greedy_coreset(features, 200).tolist() == expected


def test_rows_are_never_picked_twice_even_among_copies() -> None:
    features = torch.ones(50, 4)
    picked = greedy_coreset(features, 50).tolist()
    assert sorted(picked) == list(range(50))


def test_count_is_clipped_to_the_rows() -> None:
    assert sorted(greedy_coreset(torch.eye(3), 10).tolist()) == [0, 1, 2]


def test_wide_features_are_projected_for_the_selection() -> None:
    generator = torch.Generator().manual_seed(0)
    centres = torch.randn(5, 600, generator=generator) * 50
    features = centres.repeat_interleave(40, dim=0) + torch.randn(200, 600, generator=generator)
    picked = greedy_coreset(features, 5)
    # five far clusters: one centre in each, with or without the projection
    assert sorted((picked // 40).tolist()) == [0, 1, 2, 3, 4]
    assert project(features).shape == (200, coreset.PROJECT_TO)


def test_progress_ends_at_the_count() -> None:
    seen: list[tuple[int, int]] = []
    greedy_coreset(torch.randn(500, 8), 100, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (100, 100)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


@pytest.mark.parametrize(
    ("shape", "count", "start"), [((0, 4), 1, 0), ((4,), 1, 0), ((4, 2), 0, 0), ((4, 2), 2, 4)]
)
def test_impossible_requests_are_refused(shape: tuple[int, ...], count: int, start: int) -> None:
    with pytest.raises(ValueError, match=r"features must be|cannot pick"):
        greedy_coreset(torch.zeros(shape), count, start=start)


def test_coreset_size_keeps_at_least_one_and_at_most_the_limit() -> None:
    assert coreset_size(10, 0.001, 100) == 1
    assert coreset_size(1000, 0.1, 40) == 40
    assert coreset_size(1000, 0.1, 4000) == 100
