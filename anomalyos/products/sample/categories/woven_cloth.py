"""Twill cloth: dark warp, pale weft, every thread a little different."""

from __future__ import annotations

from functools import partial

import numpy as np

from anomalyos.products.sample import defects, noise
from anomalyos.products.sample.camera import Camera
from anomalyos.products.sample.draws import Draw, Field
from anomalyos.products.sample.geometry import step
from anomalyos.products.sample.shading import Light, Surface
from anomalyos.products.sample.shot import Scene, Shot
from anomalyos.products.sample.weave import Yarn, cross

LIGHT = Light(azimuth=225, elevation=46, key=1.3, fill=0.55, box_power=0.8, occlusion=1.5, occlusion_reach=4)
PITCH = 11.0
INDIGO = np.array((0.06, 0.095, 0.19), dtype=np.float32)
ECRU = np.array((0.40, 0.39, 0.35), dtype=np.float32)
FLAWS: dict[str, defects.Flaw] = {
    "tear": partial(defects.hole, radius=(6, 17), depth=8, ragged=0.5, stretch=1.8, lip=1.5),
    "oil_stain": partial(
        defects.stain, colour=(0.42, 0.4, 0.34), strength=(0.5, 0.92), radius=(26, 62), ring=0.15
    ),
    "loose_fibre": lambda s, shot, inside: defects.fibre(
        s,
        shot,
        inside,
        width=1.9,
        lift=2,
        colour=(0.5, 0.07, 0.05) if shot.flaw.chance(0.4) else (0.6, 0.58, 0.54),
    ),
}


def build(shot: Shot) -> Scene:
    draw = shot.draw("material")
    pose = shot.pose(shift=30, turn=0.05, scale=0.03)
    u, v = pose.local(shot.x, shot.y)
    u = u + 1.8 * noise.smooth(draw, shot.n, 5) + 0.6 * noise.smooth(draw, shot.n, 24) + 1000 * PITCH
    v = v + 1.8 * noise.smooth(draw, shot.n, 5) + 0.6 * noise.smooth(draw, shot.n, 24) + 1000 * PITCH
    mask: Field | None = None
    gone = shot.zeros()
    if shot.defect == "pulled_thread":
        v, mask = _pull(shot, v)
    warp, weft = cross(u, v, PITCH, 4)
    if shot.defect == "missing_thread":
        gone = _missing(shot, u, weft)
        mask = gone
    surface = _cloth(shot, draw, (u, v), warp, weft, gone)
    defects.dust(surface, shot, count=8, colour=(0.6, 0.58, 0.55))
    if mask is None:
        mask = defects.strike(FLAWS, surface, shot, shot.middle(20, 60))
    return Scene(surface, LIGHT, mask, Camera(exposure=1.1, grain=2.4))


def _cloth(shot: Shot, draw: Draw, uv: tuple[Field, Field], warp: Yarn, weft: Yarn, gone: Field) -> Surface:
    n = shot.n
    heights, tones = [], []
    for yarn, along, across in ((warp, uv[1], uv[0]), (weft, uv[0], uv[1])):
        width = yarn.per_thread(1 + 0.07 * draw.bells(97))
        tone = yarn.per_thread(1 + 0.08 * draw.bells(97))
        slub = noise.streaks(draw, yarn.index.astype(np.float32), along, width=1, length=70)
        profile = np.sqrt(np.maximum(1 - np.square(yarn.across * 1.9 / width), 0.02))
        # plies twist about the thread: slanting ridges
        twist = np.sin(
            (along + 0.9 * across) * np.float32(2 * np.pi / 5.2) + yarn.per_thread(6 * draw.bells(97))
        )
        heights.append(2.6 * profile * (1 + 0.07 * slub) + 1.9 * yarn.lift + 0.28 * twist)
        tones.append(tone * (1 + 0.08 * slub + 0.09 * twist))
    heights[1] = heights[1] - 9 * gone
    on_top = np.clip(0.5 + (heights[0] - heights[1]) * 1.2, 0, 1)
    fuzz = noise.white(draw, n)
    height = np.maximum(heights[0], heights[1]) + 0.12 * fuzz
    fade = 1 + 0.035 * noise.fractal(draw, n, 4, octaves=3) + 0.06 * fuzz + draw.bell(0.03)
    colour = ECRU * tones[1][..., None]
    colour += on_top[..., None] * (INDIGO * tones[0][..., None] - colour)
    colour *= np.clip(fade * (0.72 + 0.28 * step(-1.5, 2.5, height)), 0.1, 2)[..., None]
    return Surface(height, colour, rough=0.9, spec=0.02)


def _missing(shot: Shot, u: Field, weft: Yarn) -> Field:
    """A weft thread absent over part of its run."""
    draw = shot.flaw
    thread = int(weft.index[shot.n // 2, shot.n // 2]) + draw.whole(-14, 14)
    begin = float(u[shot.n // 2, 0]) + draw.span(0.05, 0.45) * 512
    run = shot.between(60, 300)
    along = step(begin, begin + 5, u) * step(begin + run, begin + run - 5, u)
    return np.where(weft.index == thread, along, np.float32(0))


def _pull(shot: Shot, v: Field) -> tuple[Field, Field]:
    """A snag draws the weft together and opens the cloth beside it."""
    draw = shot.flaw
    cx, cy = draw.span(120, 390), draw.span(100, 410)
    length, width = shot.between(30, 66), 16.0
    dx, dy = (shot.x - cx) / length, (shot.y - cy) / width
    bump = np.exp(-(dx * dx) - dy * dy)
    return v + shot.between(10, 17) * dy * bump, (bump > 0.2).astype(np.float32)
