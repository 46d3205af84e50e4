"""Index 1: which category an image shows, or that it shows none of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from anomalyos.core.arrays import Float32Array

ROUTER_RECIPE = "lite"
"""Every category is routed with one recipe, whatever recipe it is inspected with."""


@dataclass(frozen=True)
class Prototype:
    """Mean whole-image embedding of one category's normal images, and how near they stay to it."""

    vector: Float32Array
    """(C,) float32, unit length"""
    lowest: float
    """Cosine similarity of the least similar normal image to the mean of the others."""
    typical: float
    """The same of the median image."""

    @classmethod
    def from_embeddings(cls, embeddings: Float32Array) -> Prototype:
        """Learn from the unit-length embeddings (N, C) of normal images, N >= 2.

        Raises:
            ValueError: for fewer than two.
        """
        if embeddings.ndim != 2 or len(embeddings) < 2:
            raise ValueError("a prototype needs the embeddings of at least two images")
        total = embeddings.sum(axis=0)
        others = unit(total - embeddings)
        similarities = (embeddings * others).sum(axis=1)
        return cls(unit(total[None])[0], float(similarities.min()), float(np.median(similarities)))

    def floor(self, nearest_other: float | None) -> float:
        """Similarity below which an image is not of this category.

        Half way from the least similar normal image to the nearest other category: a large defect or
        another lamp moves the whole image, but not that far. Where categories look alike, and where
        there is only one, the spread of the normal images sets the distance instead.

        It is never above the least similar of the n normal images, each compared with the mean of the
        others: a further normal image from the same source falls below it with a probability of at most
        1 / (n + 1). (Nearer to that bound, a quarter instead of half of the way, a warmer lamp alone made
        a seventh of known parts unknown.)
        """
        by_spread = self.lowest - 2 * (self.typical - self.lowest)
        if nearest_other is None:
            return max(0.0, by_spread)
        return max(0.0, min(by_spread, (self.lowest + nearest_other) / 2))


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
        matrix = np.stack([prototypes[name].vector for name in self.names])
        between = matrix @ matrix.T
        np.fill_diagonal(between, -1.0)
        nearest = between.max(axis=1) if len(self.names) > 1 else [None]
        self.floors = [prototypes[name].floor(other) for name, other in zip(self.names, nearest, strict=True)]
        self.index: Any = faiss.IndexFlatIP(matrix.shape[1])
        self.index.add(np.ascontiguousarray(matrix, np.float32))

    def route(self, embedding: Float32Array) -> Route:
        """Route one unit-length whole-image embedding (C,)."""
        similarities, found = self.index.search(np.ascontiguousarray(embedding[None], np.float32), 1)
        position, similarity = int(found[0, 0]), float(similarities[0, 0])
        nearest = self.names[position]
        return Route(nearest if similarity >= self.floors[position] else None, nearest, similarity)


def unit(vectors: Float32Array) -> Float32Array:
    """Rows (N, C) scaled to length one."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)
