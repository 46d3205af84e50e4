"""Index 2: known defects by what they look like, each category by itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from anomalyos.core.arrays import Float32Array


@dataclass(frozen=True)
class Entry:
    """One case as the index knows it."""

    case_id: int
    category: str
    image: str
    """SHA-256 of the photograph: a question about it must not be answered with itself."""


@dataclass(frozen=True)
class Hit:
    case_id: int
    similarity: float
    """Inner product of unit vectors, cut to [0, 1]: less than nothing alike is shown as nothing."""


@contextmanager
def one_thread() -> Iterator[None]:
    """FAISS on the calling thread alone.

    A process forked after its parent searched with several threads hangs in its first search, and Airflow's
    executor forks. A category's search is short enough for one thread.
    """
    import faiss

    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)  # torch may share the setting


class _Partition:
    """The cases of one category in a flat FAISS index, which is exact."""

    def __init__(self, dims: int) -> None:
        import faiss

        self.index = faiss.IndexIDMap2(faiss.IndexFlatIP(dims))

    @one_thread()
    def add(self, ids: list[int], vectors: Float32Array) -> None:
        self.index.add_with_ids(np.ascontiguousarray(vectors), np.array(ids, np.int64))

    @one_thread()
    def remove(self, ids: Iterable[int]) -> None:
        import faiss

        self.index.remove_ids(faiss.IDSelectorBatch(np.array(sorted(ids), np.int64)))

    @one_thread()
    def search(self, query: Float32Array, k: int, without: list[int]) -> list[tuple[int, float]]:
        """Ids and inner products, best first; ``without`` are ids that must not be answered."""
        import faiss

        # objects of FAISS do not keep alive what they are made of
        left_out = faiss.IDSelectorBatch(np.array(without, np.int64))
        others = faiss.IDSelectorNot(left_out)
        parameters: Any = faiss.SearchParameters  # its type stubs do not know the selector
        wanted = parameters(sel=others) if without else None
        similarities, ids = self.index.search(query[None], k, params=wanted)
        found = zip(ids[0].tolist(), similarities[0].tolist(), strict=True)
        return [(number, value) for number, value in found if number >= 0]


class CaseIndex:
    """Cases by inner product of unit vectors, exact. Not thread-safe: the library holds a lock around it.

    Searching one category costs what that category costs, and the flat search over all of them is the
    merge of their answers.

    Args:
        dims: length of the vectors.
        embedder: digest of what made the vectors; vectors of another embedder do not compare.
    """

    def __init__(self, dims: int, embedder: str) -> None:
        self.dims = dims
        self.embedder = embedder
        self.entries: dict[int, Entry] = {}
        self._partitions: dict[str, _Partition] = {}
        self._of_image: defaultdict[str, set[int]] = defaultdict(set)

    def __len__(self) -> int:
        return len(self.entries)

    def __contains__(self, case_id: int) -> bool:
        return case_id in self.entries

    def add(self, entries: Sequence[Entry], vectors: Float32Array) -> None:
        """Add cases with their vectors (N, D); one that is there already is replaced.

        Raises:
            ValueError: other numbers or dimensions, a vector that is not of unit length, or an id twice.
        """
        vectors = np.ascontiguousarray(vectors, np.float32)
        if vectors.shape != (len(entries), self.dims):
            raise ValueError(f"expected ({len(entries)}, {self.dims}) values, got {vectors.shape}")
        if len({entry.case_id for entry in entries}) != len(entries):
            raise ValueError("a case is named twice")
        if not np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-3):
            raise ValueError("vectors must be of unit length")
        self.remove(entry.case_id for entry in entries)
        rows: defaultdict[str, list[int]] = defaultdict(list)
        for row, entry in enumerate(entries):
            rows[entry.category].append(row)
            self.entries[entry.case_id] = entry
            self._of_image[entry.image].add(entry.case_id)
        for category, chosen in rows.items():
            partition = self._partitions.setdefault(category, _Partition(self.dims))
            partition.add([entries[row].case_id for row in chosen], vectors[chosen])

    def remove(self, case_ids: Iterable[int]) -> int:
        """Take cases out; unknown ids are passed over. Returns how many went."""
        gone = [self.entries.pop(case_id) for case_id in set(case_ids) if case_id in self.entries]
        rows: defaultdict[str, list[int]] = defaultdict(list)
        for entry in gone:
            self._of_image[entry.image].discard(entry.case_id)
            rows[entry.category].append(entry.case_id)
        for category, ids in rows.items():
            self._partitions[category].remove(ids)
        return len(gone)

    def search(
        self,
        vectors: Float32Array,
        k: int,
        *,
        category: str | None = None,
        exclude_images: frozenset[str] = frozenset(),
    ) -> list[list[Hit]]:
        """The ``k`` most similar cases of each vector (N, D), best first; fewer when there are fewer.

        Args:
            category: only its cases (hierarchical); None searches all of them (flat).
            exclude_images: SHA-256 of photographs whose cases are left out.

        Raises:
            ValueError: vectors of another length, or k below 1.
        """
        queries = np.ascontiguousarray(vectors, np.float32)
        if queries.ndim != 2 or queries.shape[1] != self.dims:
            raise ValueError(f"expected (N, {self.dims}) values, got {queries.shape}")
        if k < 1:
            raise ValueError("k must be at least 1")
        chosen = [part for name, part in self._partitions.items() if category in (None, name)]
        without = [case for image in exclude_images for case in self._of_image.get(image, ())]
        answers = []
        for query in queries:
            found = [hit for part in chosen for hit in part.search(query, k, without)]
            best = sorted(found, key=lambda hit: (-hit[1], hit[0]))[:k]
            answers.append([Hit(case_id, min(1.0, max(0.0, similarity))) for case_id, similarity in best])
        return answers
