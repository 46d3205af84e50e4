"""What a place in a photograph looks like: the vectors cases are filed and asked for with."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anomalyos.cases.crops import VIEW_SHARES, cut, square, whole
from anomalyos.core.arrays import Float32Array
from anomalyos.features.embedders.base import ImageEmbedder

RULE = f"squares of {VIEW_SHARES} of the shorter side around the focus, vectors side by side"


@dataclass(frozen=True)
class FocusedImage:
    """A photograph and where in it to look."""

    rgb: NDArray[np.uint8]
    """(H, W, 3)"""
    focus: tuple[int, int] | None
    """x, y in pixels; None looks at the whole."""


class Appearance:
    """An image embedder looking at each place twice, closely and with its surroundings.

    The squares have the same size in every photograph of a size, whatever the extent of the defect: a
    known defect is measured by its mask, a new one by the model's map, whose regions are wider, and
    crops that followed the extent would show the two at different scales.
    """

    def __init__(self, embedder: ImageEmbedder) -> None:
        self.embedder = embedder
        self.name = embedder.name
        self.dims = embedder.dims * len(VIEW_SHARES)
        self.digest = hashlib.sha256(f"{embedder.digest} {RULE}".encode()).hexdigest()

    def vectors(self, places: list[FocusedImage]) -> Float32Array:
        """Unit-length vectors (N, dims) float32; N may be 0."""
        pictures = [view for place in places for view in views(place)]
        parts = self.embedder.images(pictures).reshape(len(places), self.dims)
        # each view is of unit length: side by side their length is the root of their number
        scaled: Float32Array = parts / np.float32(len(VIEW_SHARES) ** 0.5)
        return scaled


def views(place: FocusedImage) -> list[NDArray[np.uint8]]:
    """One picture for each of ``VIEW_SHARES``."""
    height, width = place.rgb.shape[:2]
    if place.focus is None:
        return [cut(place.rgb, whole(width, height))] * len(VIEW_SHARES)
    return [cut(place.rgb, square(place.focus, share, width, height)) for share in VIEW_SHARES]
