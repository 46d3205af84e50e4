"""A zinc-plated hexagon nut seen from above."""

from __future__ import annotations

import math

import numpy as np

from anomalyos.products.sample import defects, noise, stage
from anomalyos.products.sample.camera import Camera
from anomalyos.products.sample.draws import Field
from anomalyos.products.sample.geometry import Pose, cover, polygon, step
from anomalyos.products.sample.shading import Light, Surface, bow_tie
from anomalyos.products.sample.shot import Scene, Shot

LIGHT = Light(
    azimuth=228, elevation=54, key=0.9, fill=0.5, box=(0.34, 0.42), box_power=1.9, room=0.3, perspective=0.3,
    occlusion_reach=9,
)  # fmt: skip
FLAT, BORE, THICK = 152.0, 84.0, 52.0
ZINC = np.array((0.60, 0.59, 0.57), dtype=np.float32)
BARE = (0.72, 0.71, 0.69)


def build(shot: Shot) -> Scene:
    pose = shot.pose(shift=16, turn=math.pi)
    u, v = pose.local(shot.x, shot.y)
    r, theta = np.sqrt(u * u + v * v), np.arctan2(v, u)
    hexagon = polygon(u, v, 6, FLAT)
    part, alpha, face = _nut(shot, r, theta, hexagon)
    part.tint(1 + face * (bow_tie(theta + pose.angle, LIGHT, 0.22) - 1))
    mask = _part_flaw(part, shot, pose, (r, theta, hexagon), face)
    surface = stage.rest(stage.belt(shot), part, alpha)
    defects.dust(surface, shot, count=6)
    return Scene(surface, LIGHT, mask, Camera(exposure=1.1))


def _nut(shot: Shot, r: Field, theta: Field, hexagon: Field) -> tuple[Surface, Field, Field]:
    """The nut, its coverage, and its flat face (where scratches can start)."""
    draw, n = shot.draw("material"), shot.n
    alpha = cover(hexagon, 1.4)
    # a cone of 30 degrees takes the corners off; the bore is countersunk the same way
    corner = np.maximum(r - FLAT * 0.965, 0) * 0.58
    sink = np.maximum(BORE + 13 - r, 0) * 0.8
    top = THICK - corner - sink - np.maximum(hexagon + 3.5, 0) * 1.2
    helix = (BORE - r) / 9.0 + theta / (2 * math.pi) + draw.span(0, 1)
    ridge = np.abs(helix - np.floor(helix) - 0.5) * 2
    inner = 30 - (BORE - r) * 0.9 + 6.5 * ridge
    depth = step(BORE - 27, BORE - 30, r)
    inner = inner * (1 - depth) - 30 * depth
    height = np.where(r < BORE, np.minimum(inner, top), top)
    lathe = noise.streaks(draw, r, theta * 90, width=1.3, length=130)
    plating = noise.fractal(draw, n, 7, octaves=5, gain=0.65)
    face = cover(hexagon + 8) * step(BORE + 15, BORE + 18, r) * step(FLAT * 0.97, FLAT * 0.95, r)
    height = height + 0.13 * lathe * face + 0.12 * plating + 0.05 * noise.white(draw, n)
    tone = np.clip(1 + 0.06 * plating + 0.03 * lathe, 0.3, 1.4) * (1 - 0.5 * step(BORE - 2, BORE - 22, r))
    part = Surface(
        height, ZINC * tone[..., None], rough=np.clip(0.3 + 0.05 * plating, 0.1, 0.7), metal=1.0, spec=0.5
    )
    part.paint(depth, (0.03, 0.03, 0.032), rough=0.9, spec=0.02, metal=0.0)
    return part, alpha, face


def _part_flaw(
    s: Surface, shot: Shot, pose: Pose, where: tuple[Field, Field, Field], face: Field
) -> Field | None:
    draw, (r, theta, hexagon) = shot.flaw, where
    body = cover(hexagon, 1.4) * step(BORE - 1, BORE + 1, r)
    match shot.defect:
        case "chipped_corner":
            angle = math.pi / 6 + draw.whole(0, 5) * math.pi / 3
            reach = FLAT * 1.09
            at = pose.place(reach * math.cos(angle), reach * math.sin(angle))
            return defects.chip(
                s, shot, body, at, radius=(17, 40), depth=15, colour=(0.5, 0.49, 0.48), rough=0.5
            )
        case "scratch":
            return defects.scratch(s, shot, face, length=(60, 150), width=2.2, depth=2.4, bare=BARE)
        case "rust":
            return defects.rust(s, shot, body, radius=(16, 44))
        case "crack":
            angle = draw.span(-math.pi, math.pi)
            at = pose.place((BORE + 3) * math.cos(angle), (BORE + 3) * math.sin(angle))
            return defects.crack(
                s, shot, body, length=(34, 80), width=1.5, depth=5, start=at, angle=angle + pose.angle
            )
        case "thread_damage":
            return _burr(s, shot, r, theta)
    return None


def _burr(s: Surface, shot: Shot, r: Field, theta: Field) -> Field:
    """Thread crests torn over an arc and pushed into the bore."""
    draw = shot.flaw
    centre, half = draw.span(-2.4, 2.4), shot.between(0.16, 0.5)
    arc = step(half, half * 0.8, np.abs(theta - centre))
    ragged = 5 * noise.smooth(draw, shot.n, 44)
    zone = arc * step(BORE - 22 + ragged, BORE - 18 + ragged, r) * step(BORE + 7, BORE + 3, r)
    torn = THICK - 14 + 7 * noise.fractal(draw, shot.n, 36, octaves=3, gain=0.7)
    s.height = s.height + zone * (torn - s.height)
    s.paint(zone, (0.55, 0.54, 0.52), rough=0.35, spec=0.5, metal=1.0)
    return zone
