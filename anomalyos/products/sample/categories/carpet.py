"""Cut-pile carpet in heathered grey."""

from __future__ import annotations

from functools import partial

import numpy as np

from anomalyos.products.sample import defects, noise
from anomalyos.products.sample.camera import Camera
from anomalyos.products.sample.geometry import step
from anomalyos.products.sample.shading import Light, Surface
from anomalyos.products.sample.shot import Scene, Shot

LIGHT = Light(azimuth=220, elevation=40, key=1.35, fill=0.55, box_power=0.5, occlusion=1.7, occlusion_reach=6)
DYES = np.array(
    ((0.105, 0.112, 0.125), (0.16, 0.165, 0.17), (0.072, 0.078, 0.092), (0.135, 0.122, 0.108)),
    dtype=np.float32,
)
FLAWS: dict[str, defects.Flaw] = {
    "cut": partial(defects.crack, length=(60, 180), width=3.4, depth=9, colour=(0.012, 0.012, 0.013)),
    "hole": partial(defects.hole, radius=(10, 24), depth=10, colour=(0.075, 0.06, 0.042), ragged=0.4, lip=2),
    "stain": partial(
        defects.stain, radius=(28, 62), colour=(0.5, 0.3, 0.22), strength=(0.55, 0.92), ring=0.1
    ),
    "thread": partial(defects.fibre, length=(70, 220), width=2.3, colour=(0.42, 0.38, 0.28), lift=4),
    "metal_chip": partial(
        defects.crumb, radius=(9, 16), colour=(0.6, 0.58, 0.55), metal=1.0, rough=0.25, rise=0.5
    ),
}


def build(shot: Shot) -> Scene:
    surface = _pile(shot)
    defects.dust(surface, shot, count=9, colour=(0.5, 0.48, 0.42))
    mask = defects.strike(FLAWS, surface, shot, shot.middle(20, 60))
    return Scene(surface, LIGHT, mask, Camera(exposure=1.2, grain=2.6, blur=0.5))


def _pile(shot: Shot) -> Surface:
    """Cut tufts: each a brush of fibres that leans its own way, dyed before it was tufted."""
    draw, n = shot.draw("material"), shot.n
    f1, f2, tone = noise.cells(draw, n, 40, jitter=0.85, squeeze=1.1)
    lean = 6.3 * tone + 0.7 * noise.smooth(draw, n, 12)
    c, s = np.cos(lean), np.sin(lean)
    across, along = c * shot.x + s * shot.y, c * shot.y - s * shot.x
    fibre = noise.streaks(draw, across, along, width=1.7, length=9)
    strand = noise.streaks(draw, across, along, width=4.2, length=16)
    tuft = np.clip(1.05 - np.square(f1 * 1.15 + 0.07 * strand), 0, 1) * (
        0.55 + 0.45 * step(0.0, 0.3, f2 - f1)
    )
    blend = np.clip(tone * 4 + 0.35 * strand, 0, 3.99).astype(np.intp)
    broad = noise.fractal(draw, n, 4, octaves=3)
    trodden = noise.smooth(draw, n, 9)
    shade = (0.5 + 0.5 * tuft) * (1 + 0.13 * fibre + 0.1 * strand + 0.05 * broad + draw.bell(0.05))
    height = 7 * tuft * (1 + 0.12 * trodden) + 0.55 * fibre + 1.3 * strand
    return Surface(height, DYES[blend] * np.clip(shade, 0.12, 2)[..., None], rough=0.95, spec=0.012)
