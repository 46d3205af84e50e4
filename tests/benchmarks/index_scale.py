"""A million vectors in the case index: questions about one product and about all, additions and removals.

Vectors are as long as those of the default embedder and drawn around random centres of unit length, as
embeddings of crops cluster by defect. One product holds a twentieth of all vectors and one a thousandth.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anomalyos.cases.appearance import Appearance
from anomalyos.cases.case_index import CaseIndex, Entry
from anomalyos.core.arrays import Float32Array
from anomalyos.core.settings import get_settings
from anomalyos.features.embedders import get_image_embedder
from tests.benchmarks.record import write_result

COUNT = 1_000_000
AT_ONCE = 50_000
CENTRES = 2_000
SPREAD = 0.7
"""Length of the noise around a centre, whose own length is 1."""
QUESTIONS = 400
K = 5
CHANGES = 200


@dataclass
class Truth:
    """The cases of one product, kept beside the index to answer by hand."""

    ids: list[int] = field(default_factory=list)
    vectors: list[Float32Array] = field(default_factory=list)


def main() -> Path:
    dims = Appearance(get_image_embedder(get_settings())).dims
    rng = np.random.default_rng(20261124)
    index = CaseIndex(dims, "scale")
    truths = {"twentieth": Truth(), "thousandth": Truth()}
    rows: dict[str, Any] = {}
    questions, rows["build_s"] = build(index, truths, rng)
    for name, truth in truths.items():
        rows[f"filter_{name}"] = filtered(index, name, truth, questions)
        sys.stderr.write(f"{name}: {rows[f'filter_{name}']}\n")
    rows["flat_search_over_all"] = timed(lambda q: index.search(q, K), questions[:40])
    rows["changes"] = changes(index, around(questions[:CHANGES], rng))
    return write_result(
        "index_scale",
        {
            "vectors": COUNT,
            "dims": dims,
            "centres": CENTRES,
            "k": K,
            "questions": QUESTIONS,
            "threads": "as many as the linear algebra library takes",
            "layout": "one matrix a product",
            **rows,
            "peak_memory_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
            "cores": os.cpu_count(),
        },
    )


def build(index: CaseIndex, truths: dict[str, Truth], rng: np.random.Generator) -> tuple[Float32Array, float]:
    """Fill the index part by part; questions (QUESTIONS, dims) and the seconds that adding took."""
    names = product_names(rng)
    asked = np.sort(rng.permutation(COUNT)[:QUESTIONS])
    centres = unit(rng.standard_normal((CENTRES, index.dims), np.float32))
    near: list[Float32Array] = []
    seconds = 0.0
    for start in range(0, COUNT, AT_ONCE):
        part = centres[rng.integers(0, CENTRES, AT_ONCE)]
        vectors = around(part, rng)
        products = names[start : start + AT_ONCE]
        entries = [Entry(start + i, name, f"{start + i:064x}") for i, name in enumerate(products.tolist())]
        begun = time.perf_counter()
        index.add(entries, vectors)
        seconds += time.perf_counter() - begun
        for name, truth in truths.items():
            there = np.flatnonzero(products == name)
            truth.ids += (there + start).tolist()
            truth.vectors.append(vectors[there])
        near.append(vectors[asked[(asked >= start) & (asked < start + AT_ONCE)] - start])
        sys.stderr.write(f"\r{start + AT_ONCE:,}")
    return around(np.concatenate(near), rng), round(seconds, 1)


def product_names(rng: np.random.Generator) -> NDArray[np.str_]:
    """The product of each vector (COUNT,): 'thousandth' has 1,000, 'twentieth' 50,000, the others share."""
    names = np.array([f"c{i:02}" for i in range(19)])[rng.integers(0, 19, COUNT)].astype("<U12")
    chosen = rng.permutation(COUNT)
    names[chosen[: COUNT // 1_000]] = "thousandth"
    names[chosen[COUNT // 1_000 :][: COUNT // 20]] = "twentieth"
    return names


def unit(vectors: Float32Array) -> Float32Array:
    scaled: Float32Array = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return scaled


def around(vectors: Float32Array, rng: np.random.Generator) -> Float32Array:
    """New members of the clusters the given vectors (N, dims) belong to."""
    noise = rng.standard_normal(vectors.shape, np.float32) * np.float32(SPREAD / vectors.shape[1] ** 0.5)
    return unit(vectors + noise)


def filtered(index: CaseIndex, name: str, truth: Truth, questions: Float32Array) -> dict[str, Any]:
    """Latency of one question at a time, and recall against a matrix product."""
    answers: list[Any] = []
    result = timed(lambda q: answers.append(index.search(q, K, category=name)[0]), questions)
    right = exact(np.concatenate(truth.vectors), np.array(truth.ids), questions)
    found = [{hit.case_id for hit in hits} for hits in answers]
    recall = np.mean([len(one & set(other)) / K for one, other in zip(found, right, strict=True)])
    return {"vectors": len(truth.ids), **result, "recall_at_5": round(float(recall), 4)}


def exact(vectors: Float32Array, ids: NDArray[np.int64], questions: Float32Array) -> list[list[int]]:
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


def changes(index: CaseIndex, fresh: Float32Array) -> dict[str, Any]:
    """One case at a time in and out of the large product; each is looked for right afterwards."""
    added, removed, right = [], [], 0
    for i in range(len(fresh)):
        start = time.perf_counter()
        index.add([Entry(COUNT + i, "twentieth", f"{COUNT + i:064x}")], fresh[i : i + 1])
        added.append((time.perf_counter() - start) * 1000)
        right += index.search(fresh[i : i + 1], 1, category="twentieth")[0][0].case_id == COUNT + i
    for i in range(len(fresh)):
        start = time.perf_counter()
        index.remove([COUNT + i])
        removed.append((time.perf_counter() - start) * 1000)
        right += index.search(fresh[i : i + 1], 1, category="twentieth")[0][0].case_id != COUNT + i
    return {
        "add_p95_ms": round(float(np.percentile(added, 95)), 2),
        "remove_p95_ms": round(float(np.percentile(removed, 95)), 2),
        "effective_at_once": right == 2 * len(fresh),
    }
