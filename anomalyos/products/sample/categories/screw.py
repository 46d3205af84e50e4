"""A countersunk wood screw on a light plate."""

from __future__ import annotations

import math

import numpy as np

from anomalyos.products.sample import defects, noise, stage
from anomalyos.products.sample.camera import Camera
from anomalyos.products.sample.draws import Draw, Field
from anomalyos.products.sample.geometry import Pose, cover, step
from anomalyos.products.sample.shading import Light, Surface
from anomalyos.products.sample.shot import Scene, Shot

LIGHT = Light(
    azimuth=238, elevation=52, key=0.85, fill=0.55, box=(0.28, 0.5), box_power=1.9, room=0.3,
    perspective=0.15,
    occlusion_reach=9,
)  # fmt: skip
HEAD, NECK, RUN_IN, POINT, TIP = -208.0, -172.0, -70.0, 170.0, 216.0
SHANK, CORE, CREST, PITCH = 27.0, 21.0, 33.0, 17.5
BRASS = np.array((0.60, 0.50, 0.30), dtype=np.float32)


def build(shot: Shot) -> Scene:
    pose = shot.pose(shift=14, turn=0.16)
    a, b = pose.local(shot.x, shot.y)
    draw = shot.draw("material")
    radius, flank = _profile(shot, draw, a, b)
    mask: Field | None = None
    if shot.defect == "thread_damage":
        radius, mask = _flatten(shot, a, b, radius)
    elif shot.defect == "missing_tip":
        stump = TIP - shot.between(20, 52) + 2.5 * noise.smooth(shot.flaw, shot.n, 40)
        mask = cover(np.abs(b) - radius, 1.4) * step(stump - 1, stump + 1, a)
        radius = np.where(a > stump, np.float32(-9), radius)
    part, alpha = _metal(shot, draw, a, b, radius, flank)
    if mask is None:
        mask = _flaw(part, shot, pose, (a, b), alpha)
    surface = stage.rest(stage.sheet(shot), part, alpha)
    defects.dust(surface, shot, count=7, colour=(0.3, 0.29, 0.28))
    return Scene(surface, LIGHT, mask, Camera(exposure=1.02))


def _profile(shot: Shot, draw: Draw, a: Field, b: Field) -> tuple[Field, Field]:
    """Radius of the body at each pixel (negative beyond its ends), and the thread's lead flank."""
    phase = draw.span(0, 1)
    # the helix crosses the visible half turn while b runs from one side to the other
    turn = np.arcsin(np.clip(b / CREST, -1, 1)) / np.float32(2 * math.pi)
    wound = a / PITCH + turn + phase
    saw = wound - np.floor(wound)
    ridge = np.clip(1 - np.abs(saw - 0.5) * 3.4, 0, 1) ** 0.8
    taper = np.clip((TIP + 3 - a) / (TIP - POINT + 40), 0, 1) ** 0.8
    fade = step(RUN_IN - 12, RUN_IN + 30, a)
    threaded = (CORE + (CREST - CORE) * ridge * fade) * (0.05 + 0.95 * taper)
    body = np.where(a < RUN_IN, SHANK - (SHANK - CORE) * step(RUN_IN - 16, RUN_IN, a), threaded)
    cone = SHANK + (62 - SHANK) * np.clip((NECK - a) / (NECK - HEAD - 9), 0, 1) ** 1.1
    body = np.where(a < NECK, cone, body)
    body = np.where((a < HEAD) | (a > TIP), np.float32(-9), body)
    return body, (saw - 0.5) * fade


def _metal(shot: Shot, draw: Draw, a: Field, b: Field, radius: Field, flank: Field) -> tuple[Surface, Field]:
    n = shot.n
    alpha = cover(np.abs(b) - radius, 1.4) * cover(HEAD - a, 1.4)
    height = np.sqrt(np.maximum(radius * radius - b * b, 0)) + 32
    drawn = noise.streaks(draw, a, b, width=1.4, length=30)
    plating = noise.fractal(draw, n, 9, octaves=5, gain=0.65)
    height = height + 0.1 * drawn + 0.16 * plating + 0.05 * noise.white(draw, n)
    tone = np.clip(1 + 0.05 * plating + 0.03 * drawn - 0.12 * np.abs(flank), 0.3, 1.4)
    part = Surface(
        height, BRASS * tone[..., None], rough=np.clip(0.25 + 0.05 * plating, 0.08, 0.7), spec=0.5, metal=1.0
    )
    return part, alpha


def _flatten(shot: Shot, a: Field, b: Field, radius: Field) -> tuple[Field, Field]:
    """Thread crests knocked down on one side over a few turns."""
    draw = shot.flaw
    middle, half = draw.span(-20, 130), shot.between(18, 44)
    side = 1.0 if draw.chance(0.5) else -1.0
    zone = step(half, half * 0.75, np.abs(a - middle)) * step(2, 8, b * side)
    worn = CORE + shot.between(3.5, 0.5) + 1.2 * noise.smooth(draw, shot.n, 60)
    lower = np.where(zone > 0, np.minimum(radius, worn + (radius - worn) * (1 - zone)), radius)
    lost = (radius - lower > 1.0) & (np.abs(b) < radius)
    return lower, lost.astype(np.float32)


def _flaw(s: Surface, shot: Shot, pose: Pose, ab: tuple[Field, Field], alpha: Field) -> Field | None:
    draw, (a, b) = shot.flaw, ab
    match shot.defect:
        case "scratch":
            neck = step(NECK + 4, NECK + 12, a) * step(RUN_IN - 12, RUN_IN - 20, a) * cover(np.abs(b) - 20)
            return defects.scratch(
                s,
                shot,
                neck,
                length=(45, 95),
                width=1.9,
                depth=2.2,
                bare=(0.75, 0.74, 0.72),
                angle=pose.angle + 0.5,
            )
        case "chipped_head":
            side = 1 if draw.chance(0.5) else -1
            at = pose.place(HEAD + draw.span(3, 12), side * draw.span(46, 60))
            return defects.chip(
                s, shot, alpha, at, radius=(14, 28), depth=22, colour=(0.4, 0.39, 0.38), rough=0.5
            )
        case "rust":
            return defects.rust(s, shot, alpha, radius=(22, 46))
    return None
