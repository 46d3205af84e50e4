"""The cut face of a three-core cable."""

from __future__ import annotations

import math

import numpy as np

from anomalyos.data.sample import defects, noise, stage
from anomalyos.data.sample.camera import Camera
from anomalyos.data.sample.draws import Draw, Field
from anomalyos.data.sample.geometry import Pose, cover, disc, step
from anomalyos.data.sample.shading import Colour, Light, Surface, colour_field
from anomalyos.data.sample.shot import Scene, Shot

LIGHT = Light(
    azimuth=228,
    elevation=50,
    key=0.95,
    fill=0.48,
    box=(0.35, 0.35),
    box_power=2.2,
    room=0.3,
    occlusion_reach=6,
)
SHEATH, CORE, STRAND = 214.0, 84.0, 11.2
COLOURS: tuple[Colour, ...] = ((0.09, 0.032, 0.014), (0.02, 0.075, 0.24), (0.13, 0.22, 0.025))
COPPER = (0.66, 0.30, 0.15)


def build(shot: Shot) -> Scene:
    pose = shot.pose(shift=12, turn=0.12)
    u, v = pose.local(shot.x, shot.y)
    draw = shot.draw("material")
    face, alpha = _sheath(shot, draw, u, v)
    mask = shot.zeros()
    order = [0, 1, 2]
    if shot.defect == "swapped_wire":
        order[shot.flaw.whole(0, 2)] = shot.flaw.whole(0, 2)
        if order == [0, 1, 2]:
            order[1] = 0
    jacket, copper = shot.zeros(), shot.zeros()
    struck = shot.flaw.whole(0, 2)
    for k in range(3):
        angle = -math.pi / 2 + k * 2 * math.pi / 3 + draw.bell(0.03)
        centre = (100 * math.cos(angle) + draw.bell(2), 100 * math.sin(angle) + draw.bell(2))
        du, dv = u - centre[0], v - centre[1]
        edge = disc(du, dv, CORE) + 0.9 * noise.smooth(draw, shot.n, 12)
        ring = cover(edge, 1.6)
        _insulation(face, shot, draw, edge, COLOURS[order[k]])
        lost = 0
        if shot.defect == "missing_strand" and k == struck:
            lost = 1 + int(shot.severity * 3)
        metal, gone = _strands(face, shot, draw, (du, dv), lost)
        mask = np.maximum(mask, gone)
        if order[k] != k:
            mask = np.maximum(mask, ring * (1 - step(56, 54, np.hypot(du, dv))))
        jacket, copper = np.maximum(jacket, ring - metal), np.maximum(copper, metal)
    if shot.defect in ("cut_insulation", "poke", "contamination"):
        mask = _flaw(face, shot, pose, jacket, copper)
    surface = stage.rest(stage.felt(shot, (0.15, 0.155, 0.16)), face, alpha)
    defects.dust(surface, shot, count=7)
    return Scene(surface, LIGHT, mask if shot.defect else None, Camera(exposure=1.1))


def _sheath(shot: Shot, draw: Draw, u: Field, v: Field) -> tuple[Surface, Field]:
    """Pale outer sheath with the blade's drag lines, and the dark hollow between the cores."""
    n = shot.n
    edge = disc(u, v, SHEATH) + 1.6 * noise.smooth(draw, n, 5)
    alpha = cover(edge, 1.6)
    drag = noise.streaks(draw, u * 0.94 + v * 0.34, v * 0.94 - u * 0.34, width=1.6, length=220)
    grain = noise.fractal(draw, n, 30, octaves=3, gain=0.8)
    albedo = (
        colour_field(n, (0.42, 0.425, 0.43)) * np.clip(1 + 0.03 * drag + 0.03 * grain, 0.5, 1.5)[..., None]
    )
    height = 40 + 0.25 * drag + 0.3 * grain - np.maximum(edge + 4, 0) * 0.9
    s = Surface(height, albedo, rough=0.5, spec=0.04)
    filler = step(193, 190, np.hypot(u, v))
    s.height = s.height - 9 * filler + filler * 0.9 * grain
    s.paint(filler, (0.17, 0.165, 0.16), rough=0.8)
    return s, alpha


def _insulation(s: Surface, shot: Shot, draw: Draw, edge: Field, colour: Colour) -> None:
    ring = cover(edge, 1.6)
    drag = noise.streaks(draw, shot.x * 0.9 + shot.y * 0.43, shot.y, width=1.5, length=200)
    cloud = noise.smooth(draw, shot.n, 9)
    top = 40 + 0.28 * drag + 0.5 * cloud - np.maximum(edge + 3, 0) * 0.8
    s.height = s.height + ring * (top - s.height)
    tone = np.clip(1 + 0.05 * drag + 0.05 * cloud + draw.bell(0.05), 0.4, 1.6)[..., None]
    s.paint(ring, np.array(colour, dtype=np.float32) * tone, rough=0.38, spec=0.045)


def _strands(s: Surface, shot: Shot, draw: Draw, uv: tuple[Field, Field], lost: int) -> tuple[Field, Field]:
    """Copper wires in two rings about a middle one. Returns (copper, missing) coverages."""
    du, dv = uv
    r = np.hypot(du, dv)
    bore = step(56, 54, r)
    s.height = s.height - 12 * bore
    s.paint(bore, (0.022, 0.015, 0.012), rough=0.9, spec=0.02)
    places = [(0.0, 0.0)]
    turn = draw.span(0, math.pi)
    for ring, count in ((22.0, 6), (42.5, 12)):
        for k in range(count):
            angle = turn + 2 * math.pi * k / count + draw.bell(0.02)
            reach = ring + draw.bell(0.7)
            places.append((reach * math.cos(angle), reach * math.sin(angle)))
    sizes = [STRAND + draw.bell(0.35) for _ in places]
    tones = [1 + draw.bell(0.1) for _ in places]
    tilts = draw.bells(len(places), 2) * 0.09
    first = shot.flaw.whole(7, len(places) - 4) if lost else 0
    missing = set(range(first, first + lost))
    metal, gone = np.zeros_like(r), np.zeros_like(r)
    n, scale = shot.n, shot.n / 512
    rows = np.flatnonzero((r < 60).any(axis=1))
    columns = np.flatnonzero((r < 60).any(axis=0))
    window = (slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1))
    saw = noise.streaks(draw, shot.x[window], shot.y[window], width=1.2, length=60)
    wu, wv = du[window], dv[window]
    top, tone = np.full_like(wu, -99), np.ones_like(wu)
    for k, (pu, pv) in enumerate(places):
        rim = disc(wu - pu, wv - pv, sizes[k])
        ink = cover(rim, 1.4 / min(scale, 1))
        if k in missing:
            gone[window] = np.maximum(gone[window], ink)
            continue
        sloped = float(tilts[k, 0]) * (wu - pu) + float(tilts[k, 1]) * (wv - pv)
        face = 39 + sloped - 0.5 * np.square(np.maximum(rim + 3, 0))
        on = ink > 0.5
        top, tone = np.where(on, face, top), np.where(on, np.float32(tones[k]), tone)
        metal[window] = np.maximum(metal[window], ink)
    s.height[window] = np.where(metal[window] > 0.5, top + 0.25 * saw, s.height[window])
    colour = np.ones((n, n, 3), dtype=np.float32) * np.array(COPPER, dtype=np.float32)
    colour[window] *= np.clip(tone + 0.06 * saw, 0.4, 1.4)[..., None]
    s.paint(metal, colour, rough=0.34, spec=0.5, metal=1.0)
    return metal, gone


def _flaw(s: Surface, shot: Shot, pose: Pose, jacket: Field, copper: Field) -> Field:
    draw = shot.flaw
    match shot.defect:
        case "cut_insulation":
            angle = draw.span(-math.pi, math.pi)
            spread = step(8, 14, shot.x) * np.clip(jacket, 0, 1)
            return defects.crack(
                s,
                shot,
                spread,
                length=(26, 80),
                width=2.6,
                depth=10,
                colour=(0.015, 0.012, 0.012),
                angle=angle,
            )
        case "poke":
            return defects.hole(s, shot, np.clip(jacket, 0, 1), radius=(4.5, 11), depth=14, ragged=0.25)
        case _:
            u, v = pose.local(shot.x, shot.y)
            on_face = step(SHEATH - 12, SHEATH - 18, np.hypot(u, v)) * (1 - copper)
            shade = (0.66, 0.30, 0.15) if draw.chance(0.5) else (0.5, 0.5, 0.47)
            metal = 1.0 if shade[0] > 0.6 else 0.0
            return defects.crumb(s, shot, on_face, radius=(4, 10), colour=shade, metal=metal, rough=0.4)
