"""A small power module: green board, one chip, passives, a can capacitor, a row of soldered pins."""

from __future__ import annotations

import numpy as np

from anomalyos.products.sample import components, defects, noise
from anomalyos.products.sample.camera import Camera
from anomalyos.products.sample.components import (
    CAN_RADIUS,
    CERAMIC,
    CHIP_HALF,
    RESISTOR,
    TANTALUM,
    TIN,
    Bridge,
    Part,
)
from anomalyos.products.sample.draws import Draw, Field
from anomalyos.products.sample.geometry import Pose, box, cover, disc, step, stroke, window
from anomalyos.products.sample.glyphs import lettering
from anomalyos.products.sample.shading import Light, Surface, colour_field
from anomalyos.products.sample.shot import Scene, Shot

LIGHT = Light(
    azimuth=230, elevation=54, key=0.95, fill=0.5, box=(0.34, 0.3), box_power=2.4, room=0.32, perspective=0.4
)
GREEN, TRACK, SILK = (0.006, 0.08, 0.038), (0.014, 0.165, 0.058), (0.6, 0.62, 0.58)
PARTS = (
    Part(-170, -150, 25, 13, 9, False, RESISTOR), Part(-170, -108, 25, 13, 9, False, RESISTOR),
    Part(-170, -66, 25, 13, 13, False, CERAMIC), Part(-172, 8, 13, 13, 12, True, CERAMIC),
    Part(152, 62, 13, 25, 9, True, RESISTOR), Part(196, 62, 13, 25, 9, True, RESISTOR),
    Part(170, 142, 34, 20, 20, False, TANTALUM), Part(-60, 132, 25, 13, 13, False, CERAMIC),
    Part(10, 132, 25, 13, 9, False, RESISTOR), Part(80, 150, 13, 25, 13, True, CERAMIC),
)  # fmt: skip
TRACES = (
    ((-140, -150), (-105, -150), (-84, -129)), ((-140, -108), (-98, -108), (-84, -94)),
    ((-140, -66), (-84, -66)), ((84, 20), (122, 20), (152, 32)), ((84, -10), (176, -10), (196, 32)),
    ((-60, 60), (-60, 116)), ((10, 60), (10, 116)), ((40, 60), (40, 96), (80, 118)),
    ((-172, 28), (-172, 90), (-208, 126), (-208, 200)), ((-84, 8), (-150, 8)), ((84, -96), (128, -96)),
    ((196, 92), (196, 118)), ((-30, 60), (-30, 90), (-96, 156), (-96, 206)),
)  # fmt: skip
VIAS = ((-112, 180), (128, -96), (-208, 120), (60, 196), (-120, -190), (20, -190))
PINS = tuple(-200.0 + 50 * k for k in range(9))
CHIP, CAN = (0.0, -36.0), (168.0, -134.0)


def build(shot: Shot) -> Scene:
    pose = shot.pose(shift=9, turn=0.03, scale=0.01)
    u, v = pose.local(shot.x, shot.y)
    draw = shot.draw("material")
    surface = _board(shot, draw, pose, u, v)
    mask = _place_parts(surface, shot, draw, pose, (u, v))
    bridged = _place_chip(surface, shot, draw, pose, (u, v))
    near = window(shot.n, pose.place(*CAN), 84)
    components.can(surface.part(near), u[near] - CAN[0], v[near] - CAN[1], draw)
    for a in PINS:
        near = window(shot.n, pose.place(a, 214), 26)
        components.pin(surface.part(near), u[near] - a, v[near] - 214, 12.5 + draw.bell(0.8))
    defects.dust(surface, shot, count=8)
    if shot.defect == "solder_bridge":
        mask = bridged
    elif shot.defect in ("scratch", "flux_residue"):
        mask = _flaw(surface, shot, u, v)
    return Scene(surface, LIGHT, mask if shot.defect else None, Camera(exposure=1.1))


def _board(shot: Shot, draw: Draw, pose: Pose, u: Field, v: Field) -> Surface:
    """Lacquered laminate with tracks, vias and printing."""
    n = shot.n
    glass = np.sin(u * 0.9) * np.sin(v * 0.9)
    cloud = noise.fractal(draw, n, 6, octaves=4)
    tone = np.clip(1 + 0.05 * glass + 0.06 * cloud + draw.bell(0.05), 0.4, 2)
    height = 0.07 * glass + 0.3 * noise.smooth(draw, n, 12)
    s = Surface(height, colour_field(n, GREEN) * tone[..., None], rough=0.2, spec=0.045)
    track = shot.zeros()
    for path in TRACES:
        points = [pose.place(float(a), float(b)) for a, b in path]
        track = np.maximum(track, step(1.15, 0.85, stroke(n, points, 4.2, taper=False)))
    s.height += 1.3 * noise.blur(track, 0.8)
    s.paint(track * 0.85, TRACK)
    for a, b in VIAS:
        near = window(n, pose.place(a, b), 16)
        ring, hole = (cover(disc(u[near] - a, v[near] - b, radius)) for radius in (9, 4))
        view = s.part(near)
        view.paint(ring, TIN, metal=1.0, rough=0.3, spec=0.5)
        view.height -= 6 * hole
        view.paint(hole, (0.01, 0.01, 0.01), metal=0.0, rough=0.9, spec=0.02)
    corners = box(u - CHIP[0], v - CHIP[1], 100, 100)
    brackets = step(2.2, 1.2, np.abs(corners)) * step(60, 64, np.abs(u - CHIP[0]))
    brackets = brackets * step(60, 64, np.abs(v - CHIP[1]))
    silk = brackets + step(2.2, 1.2, np.abs(disc(u - CAN[0], v - CAN[1], CAN_RADIUS + 7)))
    for text, a, b, height_ in (("AOS-4 PB", -30, -212, 24), ("C1", -120, 140, 17), ("R4", 174, 104, 15)):
        silk = silk + lettering(text, u - a, v - b, height_)
    s.paint(np.clip(silk, 0, 1) * 0.9, SILK, rough=0.6)
    return s


def _place_parts(s: Surface, shot: Shot, draw: Draw, pose: Pose, uv: tuple[Field, Field]) -> Field:
    """Solder the passives on; returns the coverage of the one that is missing or tilted."""
    mask = shot.zeros()
    struck = shot.flaw.whole(0, len(PARTS) - 1)
    for k, part in enumerate(PARTS):
        near = window(shot.n, pose.place(part.u, part.v), 62)
        view, u, v = s.part(near), uv[0][near] - part.u, uv[1][near] - part.v
        sway = (draw.bell(0.6), draw.bell(0.6), draw.bell(0.008))
        tone, swell = 1 + draw.bell(0.08), (draw.span(3.5, 6), draw.span(3.5, 6))
        components.pads(view, u, v, part, swell)
        place = cover(components.outline(u, v, part, sway) - 1)
        if k == struck and shot.defect == "missing_part":
            mask[near] = place
            continue
        if k == struck and shot.defect == "tilted_part":
            lean = shot.between(0.2, 0.75) * (1 if shot.flaw.chance(0.5) else -1)
            sway = (sway[0] + shot.flaw.bell(3), sway[1] + shot.flaw.bell(3), sway[2] + lean)
            mask[near] = np.maximum(place, cover(components.outline(u, v, part, sway) - 1))
        components.body(view, u, v, part, sway, tone)
    return mask


def _place_chip(s: Surface, shot: Shot, draw: Draw, pose: Pose, uv: tuple[Field, Field]) -> Field:
    near = window(shot.n, pose.place(*CHIP), CHIP_HALF + 42)
    mould = noise.white(draw, shot.n)[near]
    bridge = None
    if shot.defect == "solder_bridge":
        flaw = shot.flaw
        bridge = Bridge(flaw.whole(0, 3), flaw.whole(-3, 2) + 0.5, shot.between(6.5, 13), flaw)
    joined = shot.zeros()
    joined[near] = components.chip(s.part(near), uv[0][near] - CHIP[0], uv[1][near] - CHIP[1], mould, bridge)
    return joined


def _flaw(s: Surface, shot: Shot, u: Field, v: Field) -> Field:
    frame = step(225, 205, np.maximum(np.abs(u), np.abs(v)))
    bare = frame * step(6, 3, noise.blur(s.height, 3))
    if shot.defect == "scratch":
        return defects.scratch(s, shot, bare, length=(70, 170), width=2.4, depth=1.4, bare=(0.5, 0.28, 0.12))
    return defects.smear(
        s, shot, bare, radius=(14, 36), colour=(0.33, 0.21, 0.07), opacity=(0.15, 0.55), thickness=1.8
    )
