"""The cut face of a three-core cable."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from anomalyos.products.sample import defects, noise, stage
from anomalyos.products.sample.camera import Camera
from anomalyos.products.sample.draws import Draw, Field
from anomalyos.products.sample.geometry import Point, Pose, Window, cover, disc, step, window
from anomalyos.products.sample.shading import Colour, Light, Surface, colour_field
from anomalyos.products.sample.shot import Scene, Shot

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
    pose = shot.pose(shift=12, turn=0.05)
    u, v = pose.local(shot.x, shot.y)
    draw = shot.draw("material")
    face, alpha = _sheath(shot, draw, u, v)
    mask, jacket, copper = shot.zeros(), shot.zeros(), shot.zeros()
    order = _order(shot)
    struck = shot.flaw.whole(0, 2)
    grain = Grain(
        drag=noise.streaks(draw, shot.x * 0.9 + shot.y * 0.43, shot.y, width=1.5, length=200),
        cloud=noise.smooth(draw, shot.n, 10),
    )
    for k in range(3):
        angle = -math.pi / 2 + k * 2 * math.pi / 3 + draw.bell(0.03)
        centre = (100 * math.cos(angle) + draw.bell(2), 100 * math.sin(angle) + draw.bell(2))
        near = window(shot.n, pose.place(*centre), CORE + 8)
        view, local = face.part(near), (u[near] - centre[0], v[near] - centre[1])
        ring = _insulation(view, draw, grain.part(near), local, COLOURS[order[k]])
        lost = 1 + int(shot.severity * 3) if shot.defect == "missing_strand" and k == struck else 0
        metal, gone = _strands(view, shot, draw, grain.part(near), local, lost)
        mask[near] = np.maximum(mask[near], gone)
        if order[k] != k:
            mask[near] = np.maximum(mask[near], ring * step(54, 56, np.hypot(*local)))
        jacket[near] = np.maximum(jacket[near], ring - metal)
        copper[near] = np.maximum(copper[near], metal)
    if shot.defect in ("cut_insulation", "poke", "contamination"):
        mask = _flaw(face, shot, pose, np.clip(jacket, 0, 1), copper)
    surface = stage.rest(stage.felt(shot, (0.15, 0.155, 0.16)), face, alpha)
    defects.dust(surface, shot, count=7)
    return Scene(surface, LIGHT, mask if shot.defect else None, Camera(exposure=1.1))


@dataclass(frozen=True)
class Grain:
    """Blade marks and waviness of the cut, shared by everything on the face."""

    drag: Field
    cloud: Field

    def part(self, near: Window) -> Grain:
        return Grain(self.drag[near], self.cloud[near])


def _order(shot: Shot) -> list[int]:
    """Which colour each core has; with a swapped wire one of them repeats another."""
    order = [0, 1, 2]
    if shot.defect == "swapped_wire":
        place = shot.flaw.whole(0, 2)
        order[place] = (place + shot.flaw.whole(1, 2)) % 3
    return order


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


def _insulation(s: Surface, draw: Draw, grain: Grain, uv: tuple[Field, Field], colour: Colour) -> Field:
    """Coloured plastic around a core. Returns its coverage, the bore included."""
    edge = disc(*uv, CORE) + 0.9 * grain.cloud
    ring = cover(edge, 1.6)
    top = 40 + 0.28 * grain.drag + 0.5 * grain.cloud - np.maximum(edge + 3, 0) * 0.8
    s.height += ring * (top - s.height)
    tone = np.clip(1 + 0.05 * grain.drag + 0.05 * grain.cloud + draw.bell(0.05), 0.4, 1.6)[..., None]
    s.paint(ring, np.array(colour, dtype=np.float32) * tone, rough=0.38, spec=0.045)
    return ring


def _strands(
    s: Surface, shot: Shot, draw: Draw, grain: Grain, uv: tuple[Field, Field], lost: int
) -> tuple[Field, Field]:
    """Copper wires in two rings about a middle one. Returns (copper, missing) coverages."""
    u, v = uv
    bore = step(56, 54, np.hypot(u, v))
    s.height -= 12 * bore
    s.paint(bore, (0.022, 0.015, 0.012), rough=0.9, spec=0.02)
    places = _strand_places(draw)
    first = shot.flaw.whole(7, len(places) - 4) if lost else 0
    metal, gone = np.zeros_like(u), np.zeros_like(u)
    top, tone = np.full_like(u, -99), np.ones_like(u)
    for k, (pu, pv) in enumerate(places):
        rim = disc(u - pu, v - pv, STRAND + draw.bell(0.35))
        ink = cover(rim, 1.4)
        shade, tilt_u, tilt_v = 1 + draw.bell(0.05), draw.bell(0.05), draw.bell(0.05)
        if first <= k < first + lost:
            gone = np.maximum(gone, ink)
            continue
        face = 39 + tilt_u * (u - pu) + tilt_v * (v - pv) - 0.5 * np.square(np.maximum(rim + 3, 0))
        on = ink > 0.5
        np.copyto(top, face, where=on)
        tone[on] = shade
        metal = np.maximum(metal, ink)
    np.copyto(s.height, top + 0.25 * grain.drag, where=metal > 0.5)
    colour = np.array(COPPER, dtype=np.float32) * np.clip(tone + 0.06 * grain.drag, 0.4, 1.4)[..., None]
    s.paint(metal, colour, rough=0.34, spec=0.5, metal=1.0)
    return metal, gone * (1 - metal)


def _strand_places(draw: Draw) -> list[Point]:
    """Centres of one middle strand, six around it and twelve outside."""
    places: list[Point] = [(0.0, 0.0)]
    turn = draw.bell(0.05)
    for ring, count in ((22.0, 6), (42.5, 12)):
        for k in range(count):
            angle = turn + 2 * math.pi * k / count + draw.bell(0.02)
            reach = ring + draw.bell(0.7)
            places.append((reach * math.cos(angle), reach * math.sin(angle)))
    return places


def _flaw(s: Surface, shot: Shot, pose: Pose, jacket: Field, copper: Field) -> Field:
    draw = shot.flaw
    match shot.defect:
        case "cut_insulation":
            angle = draw.span(-math.pi, math.pi)
            spread = step(8, 14, shot.x) * jacket
            return defects.crack(
                s,
                shot,
                spread,
                length=(34, 90),
                width=3.8,
                depth=10,
                colour=(0.015, 0.012, 0.012),
                angle=angle,
            )
        case "poke":
            return defects.hole(s, shot, jacket, radius=(8, 15), depth=14, ragged=0.25)
        case _:
            u, v = pose.local(shot.x, shot.y)
            on_face = step(SHEATH - 12, SHEATH - 18, np.hypot(u, v)) * (1 - copper)
            shade = (0.66, 0.30, 0.15) if draw.chance(0.5) else (0.5, 0.5, 0.47)
            metal = 1.0 if shade[0] > 0.6 else 0.0
            return defects.crumb(s, shot, on_face, radius=(6, 13), colour=shade, metal=metal, rough=0.4)
