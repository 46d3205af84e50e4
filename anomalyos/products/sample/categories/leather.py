"""Grained brown leather."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from anomalyos.products.sample import defects, noise
from anomalyos.products.sample.camera import Camera
from anomalyos.products.sample.draws import Field
from anomalyos.products.sample.geometry import spot, step, stroke, wander
from anomalyos.products.sample.shading import Light, Surface, colour_field
from anomalyos.products.sample.shot import Scene, Shot

LIGHT = Light(azimuth=215, elevation=42, key=1.25, fill=0.5, box_power=2.4, room=0.3, occlusion_reach=5)
FLESH = (0.42, 0.24, 0.13)
FLAWS: dict[str, defects.Flaw] = {
    "cut": partial(defects.crack, length=(55, 150), width=2.8, colour=FLESH, depth=4),
    "fold": lambda s, shot, inside: _fold(s, shot, inside),
    "poke": partial(defects.hole, radius=(4.5, 9), depth=7, colour=(0.02, 0.01, 0.006), lip=1.6),
    "discolouration": partial(
        defects.stain, radius=(22, 60), colour=(0.42, 0.36, 0.4), strength=(0.42, 0.85), ring=0.1
    ),
    "glue": partial(defects.smear, radius=(12, 36), colour=(0.4, 0.36, 0.3), opacity=(0.06, 0.3)),
}


def build(shot: Shot) -> Scene:
    surface = _hide(shot)
    defects.dust(surface, shot, count=5)
    mask = defects.strike(FLAWS, surface, shot, shot.middle(0, 40))
    return Scene(surface, LIGHT, mask, Camera(exposure=1.05))


def _hide(shot: Shot) -> Surface:
    draw, n = shot.draw("material"), shot.n
    f1, f2, tone = noise.cells(draw, n, 52, squeeze=1.0 + draw.span(-0.12, 0.12))
    fine_f1, fine_f2, _ = noise.cells(draw, n, 92)
    broad = noise.fractal(draw, n, 5, octaves=3)
    crease = step(0.0, 0.34, f2 - f1)
    fine = step(0.0, 0.4, fine_f2 - fine_f1)
    pores = step(1.6, 2.4, noise.smooth(draw, n, 90))
    pebble = crease * (1.5 - 1.1 * np.square(f1)) + 0.35 * fine + 0.25 * (tone - 0.5)
    wrinkles = noise.fractal(draw, n, 12, octaves=2, stretch=0.6)
    height = 2.1 * pebble * (1 + 0.16 * broad) - 1.2 * pores + 1.4 * wrinkles + 0.1 * noise.white(draw, n)
    albedo = colour_field(n, (0.155, 0.063, 0.028))
    shade = (0.62 + 0.38 * crease) * (1 + 0.07 * broad + 0.1 * (tone - 0.5)) * (1 - 0.4 * pores)
    albedo *= np.clip(shade * (1 + draw.bell(0.06)), 0.2, 1.6)[..., None]
    rough = np.clip(0.42 - 0.12 * crease + 0.04 * broad, 0.2, 0.8)
    return Surface(height, albedo, rough=rough, spec=0.045)


def _fold(s: Surface, shot: Shot, inside: Field) -> Field:
    """A pressed line: the grain is flattened and the finish lighter along it."""
    draw = shot.flaw
    path = wander(draw, spot(draw, inside), draw.span(0, 2 * math.pi), shot.between(110, 260), bend=0.08)
    ratio = stroke(shot.n, path, 7.0)
    line = step(1.0, 0.1, ratio)
    power = shot.between(0.5, 1.0)
    s.height = s.height - 5 * power * line + 1.4 * power * np.exp(-np.square((ratio - 1.1) / 0.35))
    s.paint(line * 0.25 * power, (0.3, 0.16, 0.09))
    return step(1.35, 1.1, ratio)
