"""Woven steel wire before a dark backing."""

from __future__ import annotations

from functools import partial

import numpy as np

from anomalyos.products.sample import defects, noise
from anomalyos.products.sample.camera import Camera
from anomalyos.products.sample.draws import Draw, Field
from anomalyos.products.sample.geometry import cover, spot, step
from anomalyos.products.sample.shading import Light, Surface, colour_field
from anomalyos.products.sample.shot import Scene, Shot
from anomalyos.products.sample.weave import Yarn, cross

LIGHT = Light(
    azimuth=230, elevation=55, key=0.8, fill=0.5, box=(0.3, 0.5), box_power=1.7, room=0.22, occlusion_reach=8
)
PITCH, WIRE = 42.0, 0.155
STEEL = np.array((0.56, 0.55, 0.53), dtype=np.float32)
FLAWS: dict[str, defects.Flaw] = {
    "rust": partial(defects.rust, radius=(28, 66)),
    "fibre": partial(defects.fibre, length=(60, 200), width=1.7, colour=(0.25, 0.04, 0.03)),
    "spatter": lambda s, shot, wires: defects.crumb(
        s,
        shot,
        wires,
        radius=(10, 17),
        colour=(0.5, 0.49, 0.47),
        metal=1.0,
        rough=0.3,
        at=spot(shot.flaw, wires, 0.9),
    ),
}


def build(shot: Shot) -> Scene:
    draw = shot.draw("material")
    pose = shot.pose(shift=40, turn=0.07, scale=0.03)
    u, v = pose.local(shot.x, shot.y)
    u = u + 1.4 * noise.smooth(draw, shot.n, 4) + 100 * PITCH
    v = v + 1.4 * noise.smooth(draw, shot.n, 4) + 100 * PITCH
    mask: Field | None = None
    if shot.defect == "bent_wire":
        u, mask = _bend(shot, u, v)
    warp, weft = cross(u, v, PITCH, 2)
    gone = shot.zeros()
    if shot.defect == "broken_wire":
        gone = _break(shot, u, weft)
        mask = np.where(np.abs(weft.across) < WIRE * 1.15, gone, np.float32(0))
    surface, wires = _mesh(shot, draw, (u, v), (warp, weft), gone)
    if mask is None:
        mask = defects.strike(FLAWS, surface, shot, wires * shot.middle(30, 60))
    return Scene(surface, LIGHT, mask, Camera(exposure=1.15, grain=2.4, depth=0.5))


def _mesh(
    shot: Shot, draw: Draw, uv: tuple[Field, Field], yarns: tuple[Yarn, Yarn], gone: Field
) -> tuple[Surface, Field]:
    n = shot.n
    backing = noise.fractal(draw, n, 30, octaves=3, gain=0.8)
    albedo = colour_field(n, (0.035, 0.037, 0.042)) * np.clip(1 + 0.2 * backing, 0.3, 2)[..., None]
    s = Surface(-26 + 0.5 * backing, albedo, rough=0.8, spec=0.03)
    radius = WIRE * PITCH
    tops, marks, covers = [], [], []
    for yarn, along in zip(yarns, (uv[1], uv[0]), strict=True):
        offset = yarn.across - yarn.per_thread(0.012 * draw.bells(31))
        across = np.abs(offset) * PITCH
        body = np.sqrt(np.maximum(radius * radius - across * across, 0))
        drawn = noise.streaks(draw, offset * PITCH + yarn.index * 40, along, width=1.1, length=60)
        tops.append(body + radius * 0.95 * yarn.lift)
        covers.append(cover(across - radius, 1.4))
        marks.append(drawn + 1.5 * yarn.per_thread(draw.bells(31)))
    covers[1] = covers[1] * (1 - gone)
    tops[1] = tops[1] - 300 * (covers[1] < 0.02)
    tops[0] = tops[0] - 300 * (covers[0] < 0.02)
    first = tops[0] > tops[1]
    wires = np.maximum(covers[0], covers[1])
    mark = np.where(first, marks[0], marks[1])
    tarnish = noise.fractal(draw, n, 6, octaves=4)
    tone = np.clip(0.94 + 0.04 * mark + 0.05 * tarnish, 0.3, 1.3)
    s.height = np.where(wires > 0.5, np.maximum(tops[0], tops[1]) + 0.08 * mark, s.height)
    s.paint(wires, STEEL * tone[..., None], spec=0.5, metal=1.0)
    s.rough = s.rough + wires * (np.clip(0.24 + 0.05 * tarnish, 0.1, 0.6) - s.rough)
    return s, wires


def _break(shot: Shot, u: Field, weft: Yarn) -> Field:
    """1 where a weft wire is missing between its two cut ends."""
    draw = shot.flaw
    wire = int(weft.index[shot.n // 2, shot.n // 2]) + draw.whole(-4, 4)
    begin = float(u[shot.n // 2, shot.n // 2]) + draw.span(-190, 120)
    gap = shot.between(22, 84)
    cut = step(begin - 0.7, begin + 0.7, u) * step(begin + gap + 0.7, begin + gap - 0.7, u)
    return np.where(weft.index == wire, cut, np.float32(0))


def _bend(shot: Shot, u: Field, v: Field) -> tuple[Field, Field]:
    """One warp wire pushed aside between its neighbours."""
    draw = shot.flaw
    px, py = round(draw.span(0.2, 0.8) * shot.n), round(draw.span(0.2, 0.8) * shot.n)
    wire = np.floor(u[py, px] / PITCH)
    offset = u - (wire + 0.5) * PITCH
    push = np.exp(-np.square((v - v[py, px]) / shot.between(36, 52)))
    amount = shot.between(8, 16) * (1 if draw.chance(0.5) else -1)
    # the shift dies out before the neighbouring wires
    near = step(1.0, 0.45, np.abs(offset) / PITCH)
    moved = u - amount * push * near
    radius = WIRE * PITCH * 1.1
    either = (np.abs(offset) < radius) | (np.abs(offset - amount * push * near) < radius)
    return moved, (either & (push * near > 0.1)).astype(np.float32)
