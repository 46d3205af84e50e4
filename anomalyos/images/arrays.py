"""Images that are arrays already, brought to the form that decoding gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from anomalyos.core.runtime import RuntimeSettings
from anomalyos.images.decoding import check_size
from anomalyos.images.rejection import ImageRejected


def rgb_of(array: npt.NDArray[Any], settings: RuntimeSettings) -> npt.NDArray[np.uint8]:
    """(H, W, 3) uint8 of a grey (H, W) or (H, W, 1), or an RGB (H, W, 3) uint8 array.

    Floats and wider integers are refused: nothing tells whether they end at 1, 255 or the brightest pixel.

    Raises:
        ImageRejected: another shape or dtype, too small, or more pixels than the limit.
    """
    if array.dtype != np.uint8:
        raise ImageRejected(
            "unsupported", f"The array is {array.dtype}.", "Give 8-bit values (uint8) from 0 to 255."
        )
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in (1, 3):
        raise ImageRejected(
            "unsupported", f"The array has the shape {array.shape}.", "Give (H, W), or RGB as (H, W, 3)."
        )
    check_size(array.shape[1], array.shape[0], settings)
    return np.ascontiguousarray(np.broadcast_to(array, (*array.shape[:2], 3)))
