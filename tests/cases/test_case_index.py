from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from anomalyos.cases.case_index import CaseIndex, Entry
from anomalyos.cases.index_file import IndexDamaged, IndexMismatch, load_index, save_index
from anomalyos.core.arrays import Float32Array
from anomalyos.core.errors import AnomalyOSError, NotFound

DIMS = 8
IDS = 24
POOL = np.random.default_rng(7).normal(size=(IDS, DIMS)).astype(np.float32)
POOL /= np.linalg.norm(POOL, axis=1, keepdims=True)
ENTRIES = [Entry(i, "abc"[i % 3], f"{i // 2:064x}") for i in range(IDS)]
"""Two cases a photograph, of different categories."""


def filled(ids: list[int], factory: str = "Flat") -> CaseIndex:
    index = CaseIndex(DIMS, "e", factory)
    if ids:
        index.add([ENTRIES[i] for i in ids], POOL[ids])
    return index


def answers(index: CaseIndex, **options: object) -> list[list[tuple[int, float]]]:
    hits = index.search(POOL, 4, **options)  # type: ignore[arg-type]
    return [[(hit.case_id, round(hit.similarity, 4)) for hit in row] for row in hits]


def oracle(ids: set[int], query: Float32Array, k: int, category: str | None, images: set[str]) -> list[int]:
    """Every case compared with the question, one by one."""
    kept = [i for i in ids if category in (None, ENTRIES[i].category) and ENTRIES[i].image not in images]
    return sorted(kept, key=lambda i: -float(POOL[i] @ query))[:k]


def waiting(index: CaseIndex) -> bool:
    return index.partitions["a"].waiting


STEPS = st.lists(st.tuples(st.booleans(), st.sets(st.integers(0, IDS - 1), min_size=1)), max_size=12)


@hypothesis_settings(max_examples=60, deadline=None)
@given(STEPS, st.sampled_from(["Flat", "HNSW8,Flat", "IVF2,Flat"]), st.sampled_from([None, "a", "c"]))
def test_any_additions_and_removals_equal_a_rebuild(
    steps: list[tuple[bool, set[int]]], factory: str, category: str | None
) -> None:
    index, held = CaseIndex(DIMS, "e", factory), set[int]()
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
    assert answers(index, **options) == answers(filled(sorted(held), factory), **options)
    for query, hits in zip(
        POOL, index.search(POOL, 4, category=category, exclude_images=excluded), strict=True
    ):
        assert [hit.case_id for hit in hits] == oracle(held, query, 4, category, set(excluded))


def test_similarity_is_shown_between_nothing_and_one() -> None:
    index = CaseIndex(DIMS, "e")
    index.add(ENTRIES[:2], np.stack([POOL[0], -POOL[0]]))
    assert [hit.similarity for hit in index.search(POOL[:1], 5)[0]] == [pytest.approx(1.0), 0.0]


@pytest.mark.parametrize("factory", ["IVF4,Flat", "PCA4,Flat", "SQ8", "IVF2,SQ8", "PCA4,IVF2,Flat"])
def test_a_recipe_that_needs_training_is_trained_when_there_is_enough(factory: str) -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(11_000, DIMS)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    index = CaseIndex(DIMS, "e", factory)
    index.add([Entry(i, "a", f"{i:064x}") for i in range(60)], vectors[:60])
    assert waiting(index)
    index.add([Entry(i, "a", f"{i:064x}") for i in range(60, 11_000)], vectors[60:])
    assert not waiting(index)
    index.remove(range(100))
    top = index.search(vectors[5_000:5_001], 3, category="a", exclude_images=frozenset([f"{4_999:064x}"]))[0]
    assert len(top) == 3
    assert all(hit.case_id >= 100 for hit in top)
    if "PCA" not in factory:
        assert top[0].case_id == 5_000


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


def test_an_unknown_recipe_is_refused_in_words() -> None:
    with pytest.raises(AnomalyOSError, match="ANOMALYOS_CASE_INDEX"):
        CaseIndex(DIMS, "e", "Nonsense17")


@pytest.mark.parametrize("factory", ["Flat", "HNSW8,Flat", "IVF2,Flat"])
def test_a_kept_index_answers_as_before_and_goes_on(factory: str, tmp_path: Path) -> None:
    index = filled(list(range(20)), factory)
    index.remove([3, 4])
    save_index(index, tmp_path / "sub" / "cases.index", 17)
    loaded, change = load_index(tmp_path / "sub" / "cases.index", "e")
    assert change == 17
    assert answers(loaded) == answers(index)
    for one in (loaded, index):
        one.add([ENTRIES[3], ENTRIES[21]], POOL[[3, 21]])
        one.remove([0])
    assert answers(loaded) == answers(index)
    assert [path.name for path in (tmp_path / "sub").iterdir()] == ["cases.index"]


def test_files_of_another_embedder_damaged_and_missing_ones_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "cases.index"
    save_index(filled([1, 2]), path, 1)
    with pytest.raises(IndexMismatch, match="another embedder"):
        load_index(path, "f")
    whole = path.read_bytes()
    for broken in (b"", whole[: len(whole) // 2], whole.replace(b'"format": 1', b'"format": 9')):
        path.write_bytes(broken)
        with pytest.raises(IndexDamaged, match="cases rebuild"):
            load_index(path, "e")
    with pytest.raises(NotFound):
        load_index(tmp_path / "none", "e")


def test_a_forked_process_can_search_after_its_parent_did() -> None:
    """FAISS hangs in a forked child when its parent searched with several threads."""
    script = """
import os, sys
import faiss, numpy as np
from anomalyos.cases.case_index import CaseIndex, Entry
faiss.omp_set_num_threads(2)
rng = np.random.default_rng(0)
vectors = rng.normal(size=(4000, 16)).astype(np.float32)
vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
for factory in ("Flat", "IVF8,Flat", "HNSW8,Flat"):
    index = CaseIndex(16, "e", factory)
    index.add([Entry(i, "a", f"{i:064x}") for i in range(4000)], vectors)
    assert index.search(vectors[:40], 1)[7][0].case_id == 7
    child = os.fork()
    if child == 0:
        os._exit(0 if index.search(vectors[8:9], 1, category="a")[0][0].case_id == 8 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert faiss.omp_get_max_threads() == 2
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
