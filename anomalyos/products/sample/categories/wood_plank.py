"""A plain-sawn plank with a thin satin varnish."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from anomalyos.products.sample import defects, noise
from anomalyos.products.sample.camera import Camera
from anomalyos.products.sample.draws import Draw, Field
from anomalyos.products.sample.geometry import step
from anomalyos.products.sample.shading import Light, Surface
from anomalyos.products.sample.shot import Scene, Shot

LIGHT = Light(azimuth=200, elevation=48, key=0.95, fill=0.5, box_power=1.3, room=0.25, perspective=0.5)
EARLY = np.array((0.47, 0.285, 0.145), dtype=np.float32)
LATE = np.array((0.22, 0.105, 0.045), dtype=np.float32)
FLAWS: dict[str, defects.Flaw] = {
    "scratch": partial(defects.scratch, length=(90, 230), width=2.4, depth=3.5, bare=(0.62, 0.42, 0.23)),
    "borehole": partial(
        defects.hole, radius=(4, 10), depth=14, colour=(0.02, 0.011, 0.006), ragged=0.1, stretch=1.15
    ),
    "liquid_stain": partial(
        defects.stain, colour=(0.4, 0.3, 0.24), strength=(0.45, 0.85), radius=(26, 60), rough=0.3
    ),
    "dent": partial(defects.dent, radius=(17, 34), depth=14),
    "crack": lambda s, shot, inside: defects.crack(
        s,
        shot,
        inside,
        length=(60, 180),
        width=1.9,
        angle=math.pi / 2 + shot.flaw.bell(0.12),
        colour=(0.02, 0.01, 0.005),
    ),
}


def build(shot: Shot) -> Scene:
    surface = _plank(shot)
    defects.dust(surface, shot, count=6)
    mask = defects.strike(FLAWS, surface, shot, shot.middle(10, 50))
    return Scene(surface, LIGHT, mask, Camera(exposure=1.02, grain=2.0))


def _plank(shot: Shot) -> Surface:
    draw, n = shot.draw("material"), shot.n
    ring = _rings(shot, draw)
    # colour turns slowly from early to late wood, then snaps back
    late = np.where(ring < 0.8, np.square(ring / 0.8), np.square((1 - ring) / 0.2))
    fibre = noise.smooth(draw, n, 9, 256) * 0.7 + noise.smooth(draw, n, 22, 130) * 0.5
    pores = step(1.5, 2.4, noise.smooth(draw, n, 64, 256)) * np.clip(1 - 0.8 * late, 0, 1)
    cloud = noise.fractal(draw, n, 3, octaves=3, stretch=2)
    flecks = step(1.5, 2.4, noise.smooth(draw, n, 60, 90))
    mix = np.clip(0.72 * late + 0.16 * fibre + 0.08 * cloud, 0, 1)[..., None]
    albedo = EARLY + mix * (LATE - EARLY)
    tone = 1 + 0.05 * cloud + 0.1 * fibre - 0.42 * pores + 0.05 * flecks
    albedo *= np.clip(tone * (1 + draw.bell(0.05)), 0.15, 1.5)[..., None]
    height = 0.45 * late + 0.16 * fibre - 0.7 * pores + 0.05 * noise.white(draw, n)
    return Surface(height, albedo, rough=np.clip(0.42 + 0.06 * fibre, 0.2, 0.8), spec=0.04)


def _rings(shot: Shot, draw: Draw) -> Field:
    """Phase 0..1 within a growth ring: tapering cones about a pith beside the plank, cut lengthwise."""
    lean = draw.span(-0.05, 0.05)
    x = shot.x - 256 - draw.span(-150, 150) + lean * (shot.y - 256)
    x = x + 14 * noise.smooth(draw, shot.n, 2, 2) + 2.2 * noise.smooth(draw, shot.n, 7, 9)
    depth = draw.span(60, 110) + 0.22 * (shot.y - draw.span(-200, 500)) * draw.span(0.4, 1.0)
    radius = np.sqrt(x * x + depth * depth)
    phase = (
        radius / draw.span(17, 24)
        + 0.45 * noise.smooth(draw, shot.n, 2, 9)
        + 0.05 * noise.smooth(draw, shot.n, 12, 80)
    )
    ring: Field = phase - np.floor(phase)
    return ring
