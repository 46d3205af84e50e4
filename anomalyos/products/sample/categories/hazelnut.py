"""A hazelnut in its shell."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from anomalyos.products.sample import defects, noise, stage
from anomalyos.products.sample.camera import Camera
from anomalyos.products.sample.draws import Draw, Field
from anomalyos.products.sample.geometry import cover, step
from anomalyos.products.sample.glyphs import lettering
from anomalyos.products.sample.shading import Light, Surface
from anomalyos.products.sample.shot import Scene, Shot

LIGHT = Light(
    azimuth=225,
    elevation=52,
    key=1.25,
    fill=0.34,
    box=(0.2, 0.16),
    box_power=5.0,
    room=0.3,
    occlusion_reach=9,
)
SHELL = np.array((0.30, 0.125, 0.043), dtype=np.float32)
STRIPE = np.array((0.155, 0.05, 0.016), dtype=np.float32)
SCAR = np.array((0.44, 0.29, 0.16), dtype=np.float32)
FLAWS: dict[str, defects.Flaw] = {
    "crack": partial(defects.crack, length=(44, 150), width=1.9, depth=5, colour=(0.02, 0.01, 0.006)),
    "hole": partial(
        defects.hole, radius=(2.6, 8), depth=16, colour=(0.015, 0.008, 0.005), ragged=0.12, stretch=1.2
    ),
    "cut": partial(defects.scratch, length=(32, 100), width=2.3, depth=3, bare=(0.55, 0.38, 0.22)),
    "mould": lambda s, shot, inside: _mould(s, shot, inside),
}


def build(shot: Shot) -> Scene:
    pose = shot.pose(shift=18, turn=math.pi, scale=0.06)
    u, v = pose.local(shot.x, shot.y)
    draw = shot.draw("material")
    nut, alpha, edge = _nut(shot, draw, u, v)
    if shot.defect == "print":
        mask: Field | None = _print(nut, shot, u, v, alpha)
    else:
        mask = defects.strike(FLAWS, nut, shot, step(0.8, 0.7, edge) * step(-80, -60, u))
    surface = stage.rest(stage.felt(shot, (0.022, 0.022, 0.024)), nut, alpha)
    defects.dust(surface, shot, count=5, colour=(0.4, 0.33, 0.25))
    return Scene(surface, LIGHT, mask, Camera(exposure=1.12, depth=0.5))


def _nut(shot: Shot, draw: Draw, u: Field, v: Field) -> tuple[Surface, Field, Field]:
    """The nut, its coverage, and the ratio of a pixel's radius to the outline (1 at the rim)."""
    n = shot.n
    theta = np.arctan2(v, u)
    length, width = 178 * (1 + draw.bell(0.035)), 158 * (1 + draw.bell(0.035))
    shape = (
        1
        + 0.035 * np.cos(theta)
        - 0.05 * np.cos(2 * theta) * draw.span(0.2, 1)
        + 0.05 * np.exp(-np.square(theta / 0.32))
    )
    edge = np.sqrt(np.square(u / length) + np.square(v / width)) / shape
    alpha = cover((edge - 1) * 165, 1.8)
    dome = np.sqrt(np.maximum(1 - edge * edge, 0))
    height = 150 * dome
    # ribs run from the scar to the point like meridians
    meridian = np.arctan2(v, 60 + 178 * dome) * 30 + 0.5 * noise.smooth(draw, n, 6)
    ribs = noise.streaks(draw, meridian + 64, u, width=1.0, length=150)
    fine = noise.streaks(draw, meridian * 4 + 64, u, width=1.0, length=60)
    mottle = noise.fractal(draw, n, 10, octaves=5, gain=0.65)
    stripe = step(-0.6, 1.6, 0.8 * ribs + 0.35 * mottle)
    albedo = SHELL + (0.75 * stripe)[..., None] * (STRIPE - SHELL)
    albedo *= np.clip(1 + 0.10 * mottle + 0.09 * fine + draw.bell(0.06), 0.3, 1.8)[..., None]
    scar_edge = (u + length * 0.66) / 34 + 0.12 * noise.smooth(draw, n, 14) + 0.55 * np.square(v / width)
    scar = step(0.06, -0.12, scar_edge) * alpha
    crumbs = noise.fractal(draw, n, 44, octaves=3, gain=0.8)
    tone = np.clip(1 + 0.16 * crumbs, 0.4, 1.6)[..., None]
    height = height + 0.6 * ribs + 0.3 * fine + 0.3 * mottle + scar * (0.8 * crumbs - 3)
    s = Surface(height, albedo, rough=np.clip(0.36 + 0.06 * mottle, 0.15, 0.8), spec=0.04)
    s.paint(scar, SCAR * tone, rough=0.9, spec=0.02)
    return s, alpha, edge


def _mould(s: Surface, shot: Shot, inside: Field) -> Field:
    """A pale bloom of fine tufts."""
    before = s.albedo.copy()
    stained = defects.stain(s, shot, inside, radius=(11, 34), colour=(1, 1, 1), strength=(0.0, 0.0))
    tufts = np.clip(0.6 + 0.5 * noise.fractal(shot.flaw, shot.n, 50, octaves=3, gain=0.8), 0, 1)
    s.albedo = before
    s.paint(stained * tufts * shot.between(0.12, 0.5), (0.42, 0.43, 0.38), rough=0.95)
    return stained


def _print(s: Surface, shot: Shot, u: Field, v: Field, alpha: Field) -> Field:
    """Stray ink from a packing line."""
    draw = shot.flaw
    angle = draw.span(-0.6, 0.6)
    pu, pv = u - draw.span(-30, 60), v - draw.span(-50, 50)
    ru, rv = pu * math.cos(angle) + pv * math.sin(angle), pv * math.cos(angle) - pu * math.sin(angle)
    ink = lettering("L-204", ru, rv, shot.between(26, 40), 0.55) * alpha
    s.paint(ink * shot.between(0.2, 0.6), (0.03, 0.035, 0.06), rough=0.5)
    return (noise.blur(ink, 2.0) > 0.25).astype(np.float32)
