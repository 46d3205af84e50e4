"""Retrieval trace: the most anomalous patches beside the most similar normal ones the model knows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from anomalyos.core.arrays import Float32Array
from anomalyos.core.geometry import Box
from anomalyos.explain.evidence import PatchLocation, TraceNeighbour, TracePair
from anomalyos.features.patches import PatchExtractor
from anomalyos.patchcore.bundle import Bundle

TRACE_VERSION = 1
"""Counts up whenever the same image and bundle would get another trace."""
PLACES, NEIGHBOURS = 5, 3
APART = 3
"""Patches this close, in cells along either axis, show the same place."""
SizeOf = Callable[[dict[str, str]], tuple[int, int]]
"""``{"path", "sha256"}`` of a training image -> (width, height) of its photograph."""


def trace(
    rgb: NDArray[np.uint8],
    bundle: Bundle,
    extractor: PatchExtractor,
    *,
    image_sha256: str,
    size_of: SizeOf,
    places: int = PLACES,
    neighbours: int = NEIGHBOURS,
) -> tuple[TracePair, ...]:
    """The ``places`` most anomalous patches, each with its ``neighbours`` nearest normal ones.

    The first neighbour is the very vector the patch's score is the distance to. Patch features are not
    kept with an inspection, so they are extracted again.

    Args:
        rgb: (H, W, 3) the inspected photograph.
        size_of: asked once for each training image that is shown. It may raise; nothing is caught.
    """
    patches, _ = extractor.extract([rgb])
    scores = bundle.model.score(patches[0])
    cells = strongest_cells(scores.distances, places)
    reduced: Float32Array = bundle.model.reduction.apply(patches[0]).cpu().numpy()
    wanted = np.stack([reduced[row, col] for row, col in cells])
    distances, found = bundle.model.bank.search(wanted, neighbours)
    grid = (scores.distances.shape[0], scores.distances.shape[1])
    border = bundle.recipe.border
    sizes: dict[int, tuple[int, int]] = {}

    def neighbour(position: int, distance: float) -> TraceNeighbour:
        number, row, col = (int(value) for value in bundle.model.bank.origin[position])
        entry = bundle.training_images[number]
        if number not in sizes:
            sizes[number] = size_of(entry)
        box = cell_box((row, col), grid, border, sizes[number])
        place = PatchLocation(image=entry["path"], image_sha256=entry["sha256"], box=box)
        return TraceNeighbour(place=place, distance=distance, bank_position=position)

    size = (rgb.shape[1], rgb.shape[0])
    return tuple(
        TracePair(
            place=PatchLocation(image="", image_sha256=image_sha256, box=cell_box(cell, grid, border, size)),
            score=float(scores.distances[cell]),
            neighbours=tuple(
                neighbour(int(position), float(distance))
                for position, distance in zip(found[i], distances[i], strict=True)
            ),
        )
        for i, cell in enumerate(cells)
    )


def strongest_cells(distances: Float32Array, count: int, apart: int = APART) -> list[tuple[int, int]]:
    """Cells (row, col) of the largest ``distances`` (rows, cols), strongest first, more than ``apart``
    cells from each other along at least one axis. Fewer than ``count`` when no more fit."""
    left = distances.astype(np.float64)
    cells: list[tuple[int, int]] = []
    while len(cells) < count and np.isfinite(left).any():
        row, col = (int(value) for value in np.unravel_index(int(left.argmax()), left.shape))
        cells.append((row, col))
        left[max(0, row - apart) : row + apart + 1, max(0, col - apart) : col + apart + 1] = -np.inf
    return cells


def cell_box(cell: tuple[int, int], grid: tuple[int, int], border: int, size: tuple[int, int]) -> Box:
    """Pixels of a photograph of ``size`` (width, height) that one cell of the patch grid stands for.

    The grid covers the photograph with ``border`` further rings around it. Neighbouring cells tile the
    photograph; what a patch has seen reaches farther (see :func:`with_surroundings`).
    """
    (row, col), (rows, cols), (width, height) = cell, grid, size
    down, across = height / (rows + 2 * border), width / (cols + 2 * border)
    left, top = int((col + border) * across), int((row + border) * down)
    right, bottom = round((col + border + 1) * across), round((row + border + 1) * down)
    return Box(x=left, y=top, width=max(1, right - left), height=max(1, bottom - top))


def with_surroundings(box: Box, size: tuple[int, int], times: float = 5) -> Box:
    """``box`` grown about its centre and shifted to lie inside a photograph of ``size`` (width, height).

    A cell of a few pixels shows nobody anything; five cells a side are about what its features see.
    """
    width, height = (
        min(limit, round(side * times)) for side, limit in zip((box.width, box.height), size, strict=True)
    )
    x = min(max(0, round(box.x + box.width / 2 - width / 2)), size[0] - width)
    y = min(max(0, round(box.y + box.height / 2 - height / 2)), size[1] - height)
    return Box(x=x, y=y, width=width, height=height)
