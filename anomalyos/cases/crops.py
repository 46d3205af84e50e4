"""Which part of a photograph stands for a defect."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anomalyos.core.geometry import Box

VIEW_SHARES = (0.15, 0.6)
"""Sides of the squares that are embedded, as shares of the photograph's shorter side."""
LEAST_SIDE = 16
"""Pixels."""
MARGIN = 0.25
"""Added to each side of the crop people see, as a share of the defect's longer side."""
LEAST_SHARE = 0.25
"""That crop is at least this share of the photograph's shorter side: a pinhole alone shows nothing."""


def mask_box(mask: NDArray[np.bool_]) -> Box | None:
    """Tight box of the largest connected place of ``mask`` (H, W), None when nothing is marked."""
    from scipy import ndimage

    labels, count = ndimage.label(mask, structure=np.ones((3, 3)))
    if count == 0:
        return None
    sizes = np.bincount(labels.ravel())[1:]
    rows, cols = ndimage.find_objects(labels)[int(sizes.argmax())]
    return Box(x=cols.start, y=rows.start, width=cols.stop - cols.start, height=rows.stop - rows.start)


def centre(box: Box) -> tuple[int, int]:
    """x, y of the middle of ``box``."""
    return box.x + box.width // 2, box.y + box.height // 2


def crop_box(box: Box, width: int, height: int) -> Box:
    """The square around ``box`` with its margin, moved and cut to fit a photograph of this size.

    Args:
        box: the defect alone; it may reach over the edge, as boxes from scaled maps do by a pixel.
    """
    longer = max(box.width, box.height)
    side = max(longer * (1 + 2 * MARGIN), LEAST_SHARE * min(width, height), LEAST_SIDE)
    return _around(centre(box), round(side), width, height)


def square(focus: tuple[int, int], share: float, width: int, height: int) -> Box:
    """The square around ``focus`` (x, y) with ``share`` of the shorter side, moved to lie inside."""
    return _around(focus, round(max(share * min(width, height), LEAST_SIDE)), width, height)


def _around(point: tuple[int, int], side: int, width: int, height: int) -> Box:
    span_x, span_y = min(width, side), min(height, side)
    x = min(max(0, point[0] - span_x // 2), width - span_x)
    y = min(max(0, point[1] - span_y // 2), height - span_y)
    return Box(x=x, y=y, width=span_x, height=span_y)


def cut(rgb: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """Pixels (height, width, 3) of ``box``, which must lie inside ``rgb``."""
    return np.ascontiguousarray(rgb[box.y : box.y + box.height, box.x : box.x + box.width])


def whole(width: int, height: int) -> Box:
    return Box(x=0, y=0, width=width, height=height)
