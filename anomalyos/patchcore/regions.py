"""Regions: the connected places where an anomaly map exceeds what normal images reach."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from anomalyos.core.arrays import Float32Array
from anomalyos.patchcore.calibration import Calibration

MOST = 12
"""Regions kept of one image, strongest first: more help nobody to decide."""


@dataclass(frozen=True)
class Region:
    """A box in pixels of the photographed image, the origin at its top left."""

    x: int
    y: int
    width: int
    height: int
    peak: float
    peak_x: int
    peak_y: int
    area_px: int
    area_share: float

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def find_regions(heat: Float32Array, threshold: float, image_size: tuple[int, int]) -> list[Region]:
    """Connected places of ``heat`` (H, W) above ``threshold``, strongest peak first.

    Args:
        image_size: (width, height) of the photograph; boxes are scaled to it.
    """
    from scipy import ndimage

    labels, count = ndimage.label(heat > threshold, structure=np.ones((3, 3)))
    if count == 0:
        return []
    numbers = np.arange(1, count + 1)
    peaks = ndimage.maximum(heat, labels, numbers)
    spots = ndimage.maximum_position(heat, labels, numbers)
    areas = ndimage.sum_labels(np.ones_like(heat), labels, numbers)
    boxes = ndimage.find_objects(labels)
    rows, cols = heat.shape
    width, height = image_size
    scale_x, scale_y = width / cols, height / rows
    regions = []
    for i in np.argsort(-np.asarray(peaks), kind="stable")[:MOST]:
        row, col = boxes[i]
        left, top = int(col.start * scale_x), int(row.start * scale_y)
        right = max(left + 1, min(width, int(np.ceil(col.stop * scale_x))))
        bottom = max(top + 1, min(height, int(np.ceil(row.stop * scale_y))))
        share = float(areas[i]) / (rows * cols)
        regions.append(
            Region(
                x=left,
                y=top,
                width=right - left,
                height=bottom - top,
                peak=round(float(peaks[i]), 6),
                peak_x=int((spots[i][1] + 0.5) * scale_x),
                peak_y=int((spots[i][0] + 0.5) * scale_y),
                area_px=max(1, round(share * width * height)),
                area_share=round(share, 6),
            )
        )
    return regions


def flagged_regions(
    heat: Float32Array, calibration: Calibration, score: float, image_size: tuple[int, int]
) -> list[Region]:
    """Regions above what normal images reach; of a flagged image there is at least one.

    A map can stay just below its own limit where the score passes that of the image: the place where such a
    map peaks is shown.
    """
    regions = find_regions(heat, calibration.map_threshold, image_size)
    if not regions and score > calibration.threshold():
        regions = find_regions(heat, 0.95 * float(heat.max()), image_size)[:1]
    return regions
