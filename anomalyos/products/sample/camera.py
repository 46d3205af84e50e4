"""From linear radiance to the 8-bit picture a line camera delivers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anomalyos.products.sample import noise
from anomalyos.products.sample.draws import Draw, Field


@dataclass(frozen=True)
class Camera:
    """Optics and electronics of one station.

    ``blur`` is the lens's sigma in final pixels, ``depth`` how much the corners lose focus,
    ``grain`` the noise at mid grey in 8-bit steps.
    """

    exposure: float = 1.0
    blur: float = 0.45
    depth: float = 0.35
    vignette: float = 0.16
    grain: float = 2.0
    contrast: float = 1.3

    def develop(self, radiance: Field, draw: Draw) -> NDArray[np.uint8]:
        """(2k, 2k, 3) radiance to (k, k, 3) uint8."""
        picture = noise.halve(radiance)
        size = picture.shape[0]
        picture = self._optics(picture, draw, size)
        shutter = self.exposure * (1 + draw.bell(0.025))
        balance = np.array([1 + draw.bell(0.008), 1.0, 1 + draw.bell(0.01)], dtype=np.float32)
        picture = picture * (
            _vignette(size, self.vignette, draw)[..., None] * (balance * np.float32(shutter))
        )
        picture = self._sensor(picture, draw, size)
        developed: NDArray[np.uint8] = np.clip(_tone(picture, self.contrast) * 255 + 0.5, 0, 255).astype(
            np.uint8
        )
        return developed

    def _optics(self, picture: Field, draw: Draw, size: int) -> Field:
        from scipy import ndimage

        scale = size / 256
        sigma = self.blur * scale * (1 + draw.bell(0.1))
        sharp = ndimage.gaussian_filter(picture, (sigma, sigma, 0), mode="nearest", truncate=3)
        wide = ndimage.gaussian_filter(sharp, (1.3 * scale, 1.3 * scale, 0), mode="nearest", truncate=2.5)
        y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j].astype(np.float32)
        focus = np.clip((x - draw.bell(0.2)) ** 2 + (y - draw.bell(0.2)) ** 2 - 0.5, 0, 1) * self.depth
        # in the middle the camera's own sharpening, towards the corners defocus
        focused: Field = sharp + (wide - sharp) * (focus - 0.22)[..., None]
        return focused

    def _sensor(self, picture: Field, draw: Draw, size: int) -> Field:
        from scipy import ndimage

        luma = ndimage.gaussian_filter(draw.bells(size, size), 0.45, truncate=2.5) * 1.45
        chroma = noise.enlarge(draw.bells(size // 2, size // 2), size)
        amount = np.sqrt(np.maximum(picture, 0) * 0.9 + 0.03) * np.float32(self.grain / 255 * 0.75)
        grain = np.empty_like(picture)
        grain[..., 0] = luma + 0.45 * chroma
        grain[..., 1] = luma
        grain[..., 2] = luma - 0.5 * chroma
        return picture + amount * grain


def _vignette(size: int, strength: float, draw: Draw) -> Field:
    """Light falls off from a centre that is never quite the middle."""
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j].astype(np.float32)
    cx, cy = draw.bell(0.18), draw.bell(0.18)
    tilt = x * draw.bell(0.03) + y * draw.bell(0.03)
    falloff: Field = 1 - strength * 0.5 * ((x - cx) ** 2 + (y - cy) ** 2) + tilt
    return falloff


def _tone(linear: Field, contrast: float) -> Field:
    """Soft shoulder for highlights, then the display's gamma."""
    linear = np.maximum(linear - np.float32(0.006), 0)
    knee = np.float32(0.62)
    rolled = np.where(linear > knee, knee + (1 - knee) * (1 - np.exp(-(linear - knee) / (1 - knee))), linear)
    encoded = rolled ** np.float32(1 / 2.2)
    return encoded + (contrast - 1) * (encoded - 0.5) * np.float32(4) * encoded * (1 - encoded)
