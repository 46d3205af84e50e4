"""Sentence vectors in the store."""

from __future__ import annotations

import numpy as np
import pytest

from anomalyos.db.engine import Store
from anomalyos.knowledge import text_vectors

# on SQLite and on PostgreSQL
pytestmark = pytest.mark.databases


def test_kept_vectors_come_back_exactly_and_only_under_their_embedder(store: Store) -> None:
    vectors = {f"k{i}": np.random.default_rng(i).normal(size=8).astype(np.float32) for i in range(2000)}
    with store.session() as session:
        text_vectors.keep(session, vectors, "one")
    with store.session(read_only=True) as session:
        found = text_vectors.load(session, [*vectors, "unknown"], "one", 8)
        assert found.keys() == vectors.keys()
        assert all(np.array_equal(found[key], vectors[key]) for key in vectors)
        assert text_vectors.load(session, vectors, "other", 8) == {}
        assert text_vectors.load(session, vectors, "one", 9) == {}


def test_what_was_written_first_stays(store: Store) -> None:
    for value in (1.0, 2.0):
        with store.session() as session:
            text_vectors.keep(session, {"k": np.full(4, value, np.float32)}, "one")
    with store.session(read_only=True) as session:
        assert text_vectors.load(session, ["k"], "one", 4)["k"].tolist() == [1.0] * 4


def test_nothing_to_keep(store: Store) -> None:
    with store.session() as session:
        text_vectors.keep(session, {}, "one")
        assert text_vectors.load(session, [], "one", 4) == {}
