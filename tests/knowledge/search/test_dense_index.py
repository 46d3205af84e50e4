"""The vector index: exact, and masked without changing an order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomalyos.knowledge.search.dense_index import DenseIndex

DIMS = 16


def unit(count: int, seed: int) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(count, DIMS)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@settings(max_examples=40, deadline=None)
@given(
    count=st.integers(1, 70),
    seed=st.integers(0, 10_000),
    keep=st.integers(0, 2**70 - 1),
    limit=st.integers(1, 80),
)
def test_masked_answers_are_those_of_a_full_sort(count: int, seed: int, keep: int, limit: int) -> None:
    rows, query = unit(count, seed), unit(1, seed + 1)[0]
    mask = np.array([keep >> i & 1 for i in range(count)], np.bool_)
    index = DenseIndex(DIMS)
    index.append(rows[: count // 2])
    index.append(rows[count // 2 :])
    cosines = rows @ query
    expected = sorted((n for n in range(count) if mask[n]), key=lambda n: (-cosines[n], n))[:limit]
    found = index.search(query, mask, limit)
    assert [number for number, _ in found] == expected
    assert [cosine for _, cosine in found] == pytest.approx(cosines[expected].tolist(), abs=1e-5)


def test_an_empty_index_has_no_answer() -> None:
    index = DenseIndex(DIMS)
    index.append(np.zeros((0, DIMS), np.float32))
    assert index.search(unit(1, 0)[0], None, 5) == []
    assert index.count == 0


def test_rows_come_back() -> None:
    index, rows = DenseIndex(DIMS), unit(5, 3)
    index.append(rows)
    assert np.array_equal(index.rows([4, 0]), rows[[4, 0]])


def test_the_last_row_takes_the_place_of_a_removed_one() -> None:
    index, rows = DenseIndex(DIMS), unit(5, 3)
    index.append(rows)
    index.remove(1)
    index.remove(3)
    assert np.array_equal(index.rows([0, 1, 2]), rows[[0, 4, 2]])
    assert {number for number, _ in index.search(rows[3], None, 9)} == {0, 1, 2}
