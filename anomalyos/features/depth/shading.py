"""Linear shape from shading: the embedded default, a surface guessed from brightness alone.

Pentland, "Linear shape from shading", IJCV 4 (1990): for a matte surface of small slopes lit from
the side, brightness is a linear function of the slopes,

    E(x, y) = cos(s) - p cos(t) sin(s) - q sin(t) sin(s),

with the light's tilt t and slant s and the slopes p = dz/dx, q = dz/dy, y upwards (a slope that
falls towards the lamp is the bright one). In the Fourier domain slopes
are products, so the height follows from one division. It mistakes paint for shape and knows nothing
of scale; every record that rests on it says so by its name.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anomalyos.core.arrays import Float32Array

METHOD = "shape_from_shading"
TILT = np.pi / 2
"""The light is taken to come from the picture's top, as lamps over a line do."""
SLANT = np.pi / 4
NOISE = 0.02
"""Wiener constant, in squared cycles a pixel: slopes across the light cannot be seen, and dividing by
their vanishing response would fill the map with streaks."""
SLOWEST = 0.25
"""Share of the shorter side: slower changes of brightness are the lamp's doing, not the surface's."""


class ShapeFromShading:
    """Height from brightness under one distant light from above. No weights, a few milliseconds."""

    method = METHOD

    def __call__(self, rgb: NDArray[np.uint8]) -> Float32Array:
        """Relative height (H, W) float32 of ``rgb`` (H, W, 3)."""
        from scipy import ndimage

        brightness = (rgb.astype(np.float64) @ [0.299, 0.587, 0.114]) / 255
        lamp = ndimage.gaussian_filter(brightness, SLOWEST * min(brightness.shape), mode="reflect")
        return height_from_brightness(brightness - lamp)


def height_from_brightness(brightness: NDArray[np.float64]) -> Float32Array:
    """Invert the linear reflectance of a zero-mean picture (H, W) by Wiener deconvolution.

    The picture is mirrored on both axes first: the transform takes it for periodic, and the jump from
    one edge to the other would be the steepest slope of all.
    """
    rows, cols = brightness.shape
    mirrored = np.pad(brightness, ((0, rows), (0, cols)), mode="symmetric")
    down = np.fft.fftfreq(2 * rows)[:, None]
    across = np.fft.rfftfreq(2 * cols)[None, :]
    # rows count downwards while y goes up: the second minus turns into a plus
    along_light = down * np.sin(TILT) - across * np.cos(TILT)
    response = 2j * np.pi * np.sin(SLANT) * along_light
    spectrum = np.fft.rfft2(mirrored) * np.conj(response) / (np.abs(response) ** 2 + NOISE)
    height = np.fft.irfft2(spectrum, s=mirrored.shape)
    return np.asarray(height[:rows, :cols], dtype=np.float32)
