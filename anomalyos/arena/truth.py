"""Where the defect is, as a picture to lay over the photograph."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from anomalyos.arena.placement import Box

_SHORT_SIDE = 480
"""The overlay is drawn at least this large, so that its line is thin on a small photograph too."""
_LONG_SIDE = 1024


def boxes_mask(boxes: Iterable[Box], width: int, height: int) -> NDArray[np.bool_]:
    """(H, W) bool: True inside any of the boxes."""
    mask = np.zeros((height, width), dtype=np.bool_)
    for box in boxes:
        left, top = int(box["x"] * width), int(box["y"] * height)
        right = max(left + 1, round((box["x"] + box["width"]) * width))
        bottom = max(top + 1, round((box["y"] + box["height"]) * height))
        mask[top:bottom, left:right] = True
    return mask


def outline(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """(H', W', 4) uint8 in the mask's proportions: a white line with a dark rim around what is marked.

    White on black holds on every photograph and beside every colour of the heat map.
    """
    from scipy import ndimage

    large = _resized(mask)
    thick = max(1, round(min(large.shape) / 240))
    outer = ndimage.binary_dilation(large, iterations=2 * thick + thick)
    line = ndimage.binary_dilation(large, iterations=2 * thick) & ~large
    rgba = np.zeros((*large.shape, 4), dtype=np.uint8)
    rgba[outer & ~large] = (0, 0, 0, 170)
    rgba[line] = (255, 255, 255, 255)
    rgba[ndimage.binary_dilation(large, iterations=1) & ~large] = (0, 0, 0, 170)
    return rgba


def _resized(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Nearest neighbour to between ``_SHORT_SIDE`` on the short and ``_LONG_SIDE`` on the long side."""
    height, width = mask.shape
    scale = min(max(1.0, _SHORT_SIDE / min(height, width)), _LONG_SIDE / max(height, width))
    rows = np.minimum(height - 1, (np.arange(max(1, round(height * scale))) / scale).astype(int))
    cols = np.minimum(width - 1, (np.arange(max(1, round(width * scale))) / scale).astype(int))
    large: NDArray[np.bool_] = mask[np.ix_(rows, cols)]
    return large
