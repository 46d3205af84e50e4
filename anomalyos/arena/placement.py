"""How far a person's mark is from the defect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

Box = Mapping[str, float]
"""x, y, width, height in shares of the picture's width and height."""


def distance_to_mask(mask: NDArray[np.bool_], x: float, y: float) -> float | None:
    """Distance of the point from the marked pixels as a share of the diagonal; 0 inside.

    Args:
        mask: (H, W) bool.
        x: 0 at the left edge, 1 at the right.
        y: 0 at the top edge, 1 at the bottom.

    Returns:
        None when the mask marks nothing.
    """
    rows, cols = np.nonzero(mask)
    if not len(rows):
        return None
    height, width = mask.shape
    at_col = min(width - 1, max(0, int(x * width)))
    at_row = min(height - 1, max(0, int(y * height)))
    if mask[at_row, at_col]:
        return 0.0
    nearest = float(np.hypot(cols - at_col, rows - at_row).min())
    return nearest / float(np.hypot(width, height))


def distance_to_boxes(boxes: Iterable[Box], x: float, y: float, ratio: float) -> float | None:
    """As ``distance_to_mask`` for boxes; None without any.

    Args:
        ratio: the picture's width over its height.
    """
    distances = [_to_box(box, x, y, ratio) for box in boxes]
    return min(distances) if distances else None


def _to_box(box: Box, x: float, y: float, ratio: float) -> float:
    off_x = max(box["x"] - x, 0.0, x - box["x"] - box["width"])
    off_y = max(box["y"] - y, 0.0, y - box["y"] - box["height"])
    return float(np.hypot(off_x * ratio, off_y) / np.hypot(ratio, 1.0))
