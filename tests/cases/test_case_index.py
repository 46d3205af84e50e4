from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from anomalyos.cases.case_index import CaseIndex, Entry
from anomalyos.core.arrays import Float32Array

DIMS = 8
IDS = 24
POOL = np.random.default_rng(7).normal(size=(IDS, DIMS)).astype(np.float32)
POOL /= np.linalg.norm(POOL, axis=1, keepdims=True)
ENTRIES = [Entry(i, "abc"[i % 3], f"{i // 2:064x}") for i in range(IDS)]
"""Two cases a photograph, of different categories."""


def filled(ids: list[int]) -> CaseIndex:
    index = CaseIndex(DIMS, "e")
    if ids:
        index.add([ENTRIES[i] for i in ids], POOL[ids])
    return index


def answers(index: CaseIndex, **options: object) -> list[list[tuple[int, float]]]:
    hits = index.search(POOL, 4, **options)
    return [[(hit.case_id, round(hit.similarity, 4)) for hit in row] for row in hits]


def oracle(ids: set[int], query: Float32Array, k: int, category: str | None, images: set[str]) -> list[int]:
    """Every case compared with the question, one by one."""
    kept = [i for i in ids if category in (None, ENTRIES[i].category) and ENTRIES[i].image not in images]
    return sorted(kept, key=lambda i: -float(POOL[i] @ query))[:k]


STEPS = st.lists(st.tuples(st.booleans(), st.sets(st.integers(0, IDS - 1), min_size=1)), max_size=12)


@hypothesis_settings(max_examples=60, deadline=None)
@given(STEPS, st.sampled_from([None, "a", "c"]))
def test_any_additions_and_removals_equal_a_rebuild(
    steps: list[tuple[bool, set[int]]], category: str | None
) -> None:
    index, held = CaseIndex(DIMS, "e"), set[int]()
    for adding, ids in steps:
        if adding:
            index.add([ENTRIES[i] for i in sorted(ids)], POOL[sorted(ids)])
            held |= ids
        else:
            assert index.remove(ids) == len(held & ids)
            held -= ids
    assert len(index) == len(held)
    excluded = frozenset(ENTRIES[0].image for _ in range(1))
    options = {"category": category, "exclude_images": excluded}
    assert answers(index, **options) == answers(filled(sorted(held)), **options)
    for query, hits in zip(
        POOL, index.search(POOL, 4, category=category, exclude_images=excluded), strict=True
    ):
        assert [hit.case_id for hit in hits] == oracle(held, query, 4, category, set(excluded))


def test_similarity_is_shown_between_nothing_and_one() -> None:
    index = CaseIndex(DIMS, "e")
    index.add(ENTRIES[:2], np.stack([POOL[0], -POOL[0]]))
    assert [hit.similarity for hit in index.search(POOL[:1], 5)[0]] == [pytest.approx(1.0), 0.0]


@pytest.mark.parametrize(
    ("entries", "vectors"),
    [
        (ENTRIES[:1], POOL[:2]),
        (ENTRIES[:1], POOL[:1, :4]),
        ([ENTRIES[0]] * 2, POOL[:2]),
        (ENTRIES[:1], 2 * POOL[:1]),
    ],
)
def test_vectors_that_do_not_fit_are_refused(entries: list[Entry], vectors: Float32Array) -> None:
    with pytest.raises(ValueError, match=r"expected|twice|unit"):
        CaseIndex(DIMS, "e").add(entries, vectors)


def test_questions_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="expected"):
        filled([1]).search(POOL[:, :4], 3)
    with pytest.raises(ValueError, match="k must"):
        filled([1]).search(POOL, 0)


def test_a_forked_process_can_search_after_its_parent_did() -> None:
    """Airflow's executor forks, and a library that keeps threads of its own hangs in the child."""
    script = """
import os
import numpy as np
from anomalyos.cases.case_index import CaseIndex, Entry
rng = np.random.default_rng(0)
vectors = rng.normal(size=(4000, 16)).astype(np.float32)
vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
index = CaseIndex(16, "e")
index.add([Entry(i, "a", f"{i:064x}") for i in range(4000)], vectors)
assert index.search(vectors[:40], 1)[7][0].case_id == 7
child = os.fork()
if child == 0:
    os._exit(0 if index.search(vectors[8:9], 1, category="a")[0][0].case_id == 8 else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
