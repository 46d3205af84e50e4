"""A million vectors in the case index: filtered questions against exact search, additions and removals.

Vectors are drawn around random centres of unit length, as embeddings of crops cluster by defect. The
filter is the category, once with a twentieth of all vectors and once with a thousandth.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from anomalyos.core.arrays import Float32Array
from tests.benchmarks.record import write_result

COUNT = 1_000_000
DIMS = 128
CENTRES = 2_000
SPREAD = 0.7
"""Length of the noise around a centre, whose own length is 1."""
QUESTIONS = 400
K = 5
CHANGES = 200


def main() -> Path:
    from anomalyos.cases.case_index import CaseIndex

    rng = np.random.default_rng(20261124)
    vectors, categories = draw(rng)
    rows: dict[str, Any] = {}
    index, seconds = build(CaseIndex(DIMS, "scale"), vectors, categories)
    rows["build_s"] = seconds
    questions = around(vectors[rng.integers(0, COUNT, QUESTIONS)], rng)
    for name in ("twentieth", "thousandth"):
        rows[f"filter_{name}"] = filtered(index, name, vectors, categories, questions)
        sys.stderr.write(f"{name}: {rows[f'filter_{name}']}\n")
    rows["flat_search_over_all"] = timed(lambda q: index.search(q, K), questions[:40])
    rows["twentieth_alone_at_the_embedders_length"] = full_length(rng)
    rows["changes"] = changes(index, vectors, categories)
    return write_result(
        "index_scale",
        {
            "vectors": COUNT,
            "dims": DIMS,
            "centres": CENTRES,
            "k": K,
            "questions": QUESTIONS,
            "threads": "as many as the linear algebra library takes",
            "layout": "one matrix a category",
            **rows,
            "peak_memory_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
            "cores": os.cpu_count(),
        },
    )


def draw(rng: np.random.Generator) -> tuple[Float32Array, np.ndarray[Any, Any]]:
    """Unit vectors (COUNT, DIMS) and the category of each: 'thousandth' has 1,000, the others share."""
    centres = unit(rng.standard_normal((CENTRES, DIMS), np.float32))
    vectors = np.empty((COUNT, DIMS), np.float32)
    for start in range(0, COUNT, 50_000):
        part = centres[rng.integers(0, CENTRES, 50_000)]
        noise = rng.standard_normal(part.shape, np.float32) * (SPREAD / DIMS**0.5)
        vectors[start : start + 50_000] = unit(part + noise)
    categories = np.array([f"c{i:02}" for i in range(19)])[rng.integers(0, 19, COUNT)].astype("<U12")
    chosen = rng.permutation(COUNT)
    categories[chosen[:1_000]] = "thousandth"
    categories[chosen[1_000:51_000]] = "twentieth"
    return vectors, categories


def unit(vectors: Float32Array) -> Float32Array:
    scaled: Float32Array = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return scaled


def around(vectors: Float32Array, rng: np.random.Generator) -> Float32Array:
    """New members of the clusters the given vectors belong to."""
    return unit(vectors + rng.standard_normal(vectors.shape, np.float32) * (SPREAD / DIMS**0.5))


def build(index: Any, vectors: Float32Array, categories: np.ndarray[Any, Any]) -> tuple[Any, float]:
    from anomalyos.cases.case_index import Entry

    start = time.perf_counter()
    for at in range(0, len(vectors), 50_000):
        names = categories[at : at + 50_000].tolist()
        entries = [Entry(at + i, name, f"{at + i:064x}") for i, name in enumerate(names)]
        index.add(entries, vectors[at : at + 50_000])
    return index, round(time.perf_counter() - start, 1)


def filtered(
    index: Any, name: str, vectors: Float32Array, categories: np.ndarray[Any, Any], questions: Float32Array
) -> dict[str, Any]:
    """Latency of one question at a time, and recall against a matrix product."""
    answers: list[Any] = []
    result = timed(lambda q: answers.append(index.search(q, K, category=name)[0]), questions)
    ids = np.flatnonzero(categories == name)
    truth = exact(vectors[ids], ids, questions)
    found = [{hit.case_id for hit in hits} for hits in answers]
    recall = np.mean([len(one & set(other)) / K for one, other in zip(found, truth, strict=True)])
    return {"vectors": len(ids), **result, "recall_at_5": round(float(recall), 4)}


def exact(vectors: Float32Array, ids: np.ndarray[Any, Any], questions: Float32Array) -> list[list[int]]:
    """The true K nearest by a matrix product in float64, written independently of the index."""
    similarities = questions.astype(np.float64) @ vectors.T.astype(np.float64)
    return [ids[np.argsort(-row, kind="stable")[:K]].tolist() for row in similarities]


def timed(search: Callable[[Float32Array], Any], questions: Float32Array) -> dict[str, float]:
    milliseconds = []
    for question in questions:
        start = time.perf_counter()
        search(question[None])
        milliseconds.append((time.perf_counter() - start) * 1000)
    return {f"p{p}_ms": round(float(np.percentile(milliseconds, p)), 2) for p in (50, 95, 99)}


def full_length(rng: np.random.Generator) -> dict[str, Any]:
    """The large category with vectors as long as the default embedder's."""
    from anomalyos.cases.appearance import Appearance
    from anomalyos.cases.case_index import CaseIndex
    from anomalyos.core.settings import get_settings
    from anomalyos.features.embedders import get_image_embedder

    dims = Appearance(get_image_embedder(get_settings())).dims
    vectors = unit(rng.standard_normal((50_000, dims), np.float32))
    names = np.full(50_000, "twentieth")
    index, _ = build(CaseIndex(dims, "scale"), vectors, names)
    questions = unit(vectors[:QUESTIONS] + rng.standard_normal((QUESTIONS, dims), np.float32) / dims**0.5)
    return {"dims": dims, **filtered(index, "twentieth", vectors, names, questions)}


def changes(index: Any, vectors: Float32Array, categories: np.ndarray[Any, Any]) -> dict[str, Any]:
    """One case at a time in and out of the large category; each is looked for right afterwards."""
    from anomalyos.cases.case_index import Entry

    fresh = around(vectors[:CHANGES], np.random.default_rng(1))
    added, removed, right = [], [], 0
    for i in range(CHANGES):
        start = time.perf_counter()
        index.add([Entry(COUNT + i, "twentieth", f"{COUNT + i:064x}")], fresh[i : i + 1])
        added.append((time.perf_counter() - start) * 1000)
        right += index.search(fresh[i : i + 1], 1, category="twentieth")[0][0].case_id == COUNT + i
    for i in range(CHANGES):
        start = time.perf_counter()
        index.remove([COUNT + i])
        removed.append((time.perf_counter() - start) * 1000)
        right += index.search(fresh[i : i + 1], 1, category="twentieth")[0][0].case_id != COUNT + i
    return {
        "add_p95_ms": round(float(np.percentile(added, 95)), 2),
        "remove_p95_ms": round(float(np.percentile(removed, 95)), 2),
        "effective_at_once": right == 2 * CHANGES,
    }
