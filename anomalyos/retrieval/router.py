"""Index 1: which category an image shows, or that it shows none of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

ROUTER_RECIPE = "lite"
"""Every category is routed with one recipe, whatever recipe it is inspected with."""


@dataclass(frozen=True)
class Prototype:
    """Mean whole-image embedding of one category's normal images, and how near they stay to it."""

    vector: FloatArray
    """(C,) float32, unit length"""
    floor: float
    """Cosine similarity below which an image is not of this category."""

    @classmethod
    def from_embeddings(cls, embeddings: FloatArray) -> Prototype:
        """Learn from the unit-length embeddings (N, C) of normal images, N >= 2.

        The floor lies as far below the least similar image as that lies below the typical one, twice
        over: a large defect or another lamp moves the whole image, and a part of another category
        lies much farther away. Each image is compared to the mean of the others.
        """
        if embeddings.ndim != 2 or len(embeddings) < 2:
            raise ValueError("a prototype needs the embeddings of at least two images")
        total = embeddings.sum(axis=0)
        others = unit(total - embeddings)
        similarities = (embeddings * others).sum(axis=1)
        lowest, typical = float(similarities.min()), float(np.median(similarities))
        return cls(unit(total[None])[0], max(0.0, lowest - 2 * (typical - lowest)))


@dataclass(frozen=True)
class Route:
    """Where an image goes."""

    category: str | None
    """None when it resembles no category enough."""
    nearest: str
    """The most similar category, whether or not it is similar enough."""
    similarity: float
    """Cosine similarity to ``nearest``."""


class CategoryRouter:
    """Exact inner-product index over one prototype a category."""

    def __init__(self, prototypes: dict[str, Prototype]) -> None:
        import faiss

        if not prototypes:
            raise ValueError("a router needs at least one category")
        self.names = sorted(prototypes)
        self.floors = [prototypes[name].floor for name in self.names]
        matrix = np.stack([prototypes[name].vector for name in self.names])
        self.index: Any = faiss.IndexFlatIP(matrix.shape[1])
        self.index.add(np.ascontiguousarray(matrix, np.float32))

    def route(self, embedding: FloatArray) -> Route:
        """Route one unit-length whole-image embedding (C,)."""
        similarities, found = self.index.search(np.ascontiguousarray(embedding[None], np.float32), 1)
        position, similarity = int(found[0, 0]), float(similarities[0, 0])
        nearest = self.names[position]
        return Route(nearest if similarity >= self.floors[position] else None, nearest, similarity)


def unit(vectors: FloatArray) -> FloatArray:
    """Rows (N, C) scaled to length one."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)
