"""Index 2: known defects by what they look like, one FAISS index a category."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from anomalyos.cases.partition import FLAT, Partition
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


class CaseIndex:
    """Cases by inner product of unit vectors. Not thread-safe: the library holds a lock around it.

    Each category has an index of its own. Searching one category then costs what that category costs,
    and the flat search over all of them is the merge of their answers.

    Args:
        dims: length of the vectors.
        embedder: digest of what made the vectors; vectors of another embedder do not compare.
        factory: FAISS factory string each category's index is made with.
    """

    def __init__(self, dims: int, embedder: str, factory: str = FLAT) -> None:
        """Raises ``AnomalyOSError`` for a factory string FAISS does not know."""
        self.dims = dims
        self.embedder = embedder
        self.factory = factory
        Partition(dims, factory)
        self.partitions: dict[str, Partition] = {}
        self.entries: dict[int, Entry] = {}
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
            if category not in self.partitions:
                self.partitions[category] = Partition(self.dims, self.factory)
            ids = np.array([entries[row].case_id for row in chosen], np.int64)
            self.partitions[category].add(ids, vectors[chosen])

    def attach(self, category: str, partition: Partition, entries: Sequence[Entry]) -> None:
        """Take over a partition that was read from a file, and the cases in it."""
        self.partitions[category] = partition
        for entry in entries:
            self.entries[entry.case_id] = entry
            self._of_image[entry.image].add(entry.case_id)

    def remove(self, case_ids: Iterable[int]) -> int:
        """Take cases out; unknown ids are passed over. Returns how many went."""
        gone: defaultdict[str, list[int]] = defaultdict(list)
        for case_id in set(case_ids):
            entry = self.entries.pop(case_id, None)
            if entry is not None:
                gone[entry.category].append(case_id)
                self._of_image[entry.image].discard(case_id)
        for category, ids in gone.items():
            self.partitions[category].remove(ids)
            if not len(self.partitions[category]):
                del self.partitions[category]
        return sum(map(len, gone.values()))

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
        if category is None:
            chosen = [self.partitions[name] for name in sorted(self.partitions)]
        else:
            chosen = [self.partitions[category]] if category in self.partitions else []
        without = [case for image in exclude_images for case in self._of_image.get(image, ())]
        found: list[list[tuple[float, int]]] = [[] for _ in queries]
        for partition in chosen:
            similarities, ids = partition.search(queries, min(k, len(partition)), without)
            for hits, values, numbers in zip(found, similarities, ids, strict=True):
                hits += [(-float(v), int(i)) for v, i in zip(values, numbers, strict=True) if i >= 0]
        return [[Hit(case_id, shown(-v)) for v, case_id in sorted(hits)[:k]] for hits in found]


def shown(similarity: float) -> float:
    """An inner product as people see it, in [0, 1]."""
    return min(1.0, max(0.0, float(similarity)))
