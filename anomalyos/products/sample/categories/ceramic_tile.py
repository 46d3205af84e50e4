"""Glazed wall tiles with a grouted joint somewhere in the picture."""

from __future__ import annotations

import math

import numpy as np

from anomalyos.products.sample import defects, noise
from anomalyos.products.sample.camera import Camera
from anomalyos.products.sample.draws import Field
from anomalyos.products.sample.geometry import box, cover, spot, step
from anomalyos.products.sample.shading import Light, Surface
from anomalyos.products.sample.shot import Scene, Shot

LIGHT = Light(
    azimuth=222, elevation=52, key=0.75, fill=0.5, box=(0.42, 0.28), box_power=5.0, room=0.5, perspective=0.55
)
PITCH, JOINT = 330.0, 13.0
HALF = (PITCH - JOINT) / 2
PALE = np.array((0.44, 0.50, 0.44), dtype=np.float32)
DEEP = np.array((0.11, 0.21, 0.185), dtype=np.float32)
BISQUE = (0.5, 0.36, 0.25)


def build(shot: Shot) -> Scene:
    surface, edge = _wall(shot)
    defects.dust(surface, shot, count=6)
    mask = _flaw(surface, shot, edge) if shot.defect else None
    return Scene(surface, LIGHT, mask, Camera(exposure=1.05, grain=1.9))


def _wall(shot: Shot) -> tuple[Surface, Field]:
    """Surface, and the signed distance to the tiles' edges (negative on a tile)."""
    draw, n = shot.draw("material"), shot.n
    pose = shot.pose(shift=105, turn=0.03)
    u, v = pose.local(shot.x, shot.y)
    column, row = np.floor(u / PITCH).astype(int) % 4, np.floor(v / PITCH).astype(int) % 4
    wobble = 0.7 * noise.smooth(draw, n, 14)
    du, dv = (w - (np.floor(w / PITCH) + 0.5) * PITCH for w in (u, v))
    edge = box(du, dv, HALF, HALF, 7) + wobble
    on_tile = cover(edge, 1.6)
    mottle = noise.fractal(draw, n, 9, octaves=5, gain=0.62) + draw.bells(4, 4)[row, column] * 0.22
    mix = step(-1.5, 1.7, mottle)[..., None]
    albedo = DEEP + mix * (PALE - DEEP)
    speckle = step(2.2, 3.0, noise.smooth(draw, n, 110)) * 0.4
    # the glaze runs thin over the edge and lets the body through
    thin = step(-9, -1, edge) * 0.65
    albedo += thin[..., None] * (np.array((0.47, 0.43, 0.34), dtype=np.float32) - albedo)
    albedo *= (1 - speckle)[..., None]
    orange_peel = 0.16 * noise.smooth(draw, n, 44) + 0.5 * noise.smooth(draw, n, 8)
    cushion = 5.5 * (1 - step(-13, 1, edge) ** 2)
    warp = draw.bells(4, 4)[row, column] * 0.012 * du
    grout = noise.fractal(draw, n, 90, octaves=2, gain=0.8)
    height = on_tile * (cushion + orange_peel + warp) + (1 - on_tile) * (-2.5 + 0.5 * grout)
    s = Surface(height, albedo, rough=np.clip(0.09 + 0.05 * speckle, 0.05, 1), spec=0.05)
    s.paint(
        1 - on_tile, np.clip(0.34 + 0.03 * grout, 0.1, 0.6)[..., None] * np.ones(3), rough=0.95, spec=0.02
    )
    return s, edge


def _flaw(s: Surface, shot: Shot, edge: Field) -> Field:
    draw = shot.flaw
    glazed = step(-2, -5, edge)
    middle = step(-18, -30, edge) * shot.middle(10, 40)
    match shot.defect:
        case "crack":
            return defects.crack(
                s, shot, glazed, length=(70, 230), width=1.4, depth=1.6, start=spot(draw, middle)
            )
        case "chipped_edge":
            at = spot(draw, step(-14, -9, edge) * step(-2, -6, edge) * shot.middle(20, 60))
            return defects.chip(s, shot, step(3, 0, edge), at, radius=(14, 30), depth=5, colour=BISQUE)
        case "glaze_pit":
            return defects.hole(
                s, shot, middle, radius=(6, 12), depth=3, colour=(0.06, 0.045, 0.03), ragged=0.25, lip=0.9
            )
        case "metal_mark":
            return defects.scratch(
                s,
                shot,
                glazed * middle,
                length=(70, 160),
                width=2.6,
                depth=0.25,
                bare=(0.05, 0.05, 0.055),
                angle=draw.span(0, 2 * math.pi),
            )
        case _:
            return defects.smear(
                s,
                shot,
                glazed * middle,
                radius=(18, 42),
                colour=(0.46, 0.44, 0.38),
                opacity=(0.25, 0.65),
                rough=0.5,
            )
