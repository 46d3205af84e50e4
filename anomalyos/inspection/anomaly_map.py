"""The anomaly map as a picture that can be laid over the photograph."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray

from anomalyos.core.arrays import Float32Array
from anomalyos.core.errors import NotFound
from anomalyos.db.engine import Store
from anomalyos.inspection.tables import Inspection
from anomalyos.patchcore.scoring import anomaly_map

# dark violet, magenta, orange, pale yellow: lightness rises all the way, so the order survives
# colour blindness and print
STOPS = np.array([[59, 15, 112], [183, 55, 121], [252, 137, 97], [252, 253, 191]], dtype=np.float64)


def load_map(store: Store, inspection: Inspection) -> Float32Array:
    """Anomaly map (input_size, input_size) float32 kept with an inspection.

    Raises:
        NotFound: for an inspection without a map (rejected, or of no known category).
    """
    if not inspection.map_path:
        raise NotFound("This inspection has no anomaly map.", "Only images of a known category have one.")
    distances: Float32Array = np.load(io.BytesIO(store.objects.read(inspection.map_path)), allow_pickle=False)
    facts = inspection.map_facts
    return anomaly_map(distances, size=facts["input_size"], border=facts["border"], sigma=facts["sigma"])


def render_heatmap(store: Store, inspection: Inspection) -> bytes:
    """RGBA PNG in the proportions of the photograph: transparent where normal, bright where not.

    What normal images reach stays clear, the calibrated map threshold is half way up the scale and
    twice that is its end, so equal colours mean equal evidence from image to image.

    Raises:
        NotFound: as :func:`load_map`.
    """
    heat = load_map(store, inspection)
    facts = inspection.map_facts
    return encode_overlay(heat, facts["median"], facts["threshold"], (facts["width"], facts["height"]))


def encode_overlay(heat: Float32Array, median: float, threshold: float, image_size: tuple[int, int]) -> bytes:
    """``heat`` (H, W) as an RGBA PNG of at most 1024 pixels a side, shaped like the image."""
    from PIL import Image

    rgba = colourise(relative_heat(heat, median, threshold))
    scale = min(1.0, 1024 / max(image_size))
    size = (max(1, round(image_size[0] * scale)), max(1, round(image_size[1] * scale)))
    picture = Image.fromarray(rgba).resize(size, Image.Resampling.BILINEAR)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def relative_heat(heat: Float32Array, median: float, threshold: float) -> Float32Array:
    """0 at what is typical of normal images, 0.5 at the threshold, 1 at twice as far above."""
    share = (heat - median) / max(2 * (threshold - median), 1e-9)
    return np.asarray(np.clip(share, 0, 1), dtype=np.float32)


def colourise(relative: Float32Array) -> NDArray[np.uint8]:
    """(H, W) in [0, 1] -> (H, W, 4) uint8, opacity growing with the value."""
    position = relative.astype(np.float64) * (len(STOPS) - 1)
    lower = np.clip(position.astype(int), 0, len(STOPS) - 2)
    share = (position - lower)[..., None]
    colour = STOPS[lower] * (1 - share) + STOPS[lower + 1] * share
    # below half the threshold nothing is drawn: a veil over normal parts hides more than it shows
    alpha = np.clip((relative - 0.25) / 0.25, 0, 1) ** 0.8 * 255
    return np.concatenate([colour, alpha[..., None]], axis=2).round().astype(np.uint8)
