"""A small power module: green board, one chip, passives, a can capacitor, a pin header."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from anomalyos.data.sample import defects, noise
from anomalyos.data.sample.camera import Camera
from anomalyos.data.sample.draws import Draw, Field
from anomalyos.data.sample.geometry import Pose, box, cover, disc, step, stroke
from anomalyos.data.sample.glyphs import lettering
from anomalyos.data.sample.shading import Colour, Light, Surface, colour_field
from anomalyos.data.sample.shot import Scene, Shot

LIGHT = Light(
    azimuth=230, elevation=54, key=0.9, fill=0.55, box=(0.34, 0.3), box_power=2.4, room=0.35, perspective=0.4,
    occlusion_reach=7,
)  # fmt: skip
MASK_GREEN = (0.008, 0.088, 0.042)
TIN = (0.62, 0.62, 0.6)
SILK = (0.6, 0.62, 0.58)


@dataclass(frozen=True)
class Part:
    """A two-terminal part: centre, half length and width (units), height, turned upright or not."""

    u: float
    v: float
    length: float
    width: float
    rise: float
    upright: bool
    body: Colour


RESISTOR, CERAMIC, TANTALUM = (0.016, 0.016, 0.018), (0.24, 0.155, 0.09), (0.42, 0.22, 0.02)
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
PINS = tuple((-200 + 50 * k, 214.0) for k in range(9))
CHIP_U, CHIP_V, CHIP_HALF = 0.0, -36.0, 66.0
CAN_U, CAN_V, CAN_R = 168.0, -134.0, 62.0


def build(shot: Shot) -> Scene:
    pose = shot.pose(shift=9, turn=0.03, scale=0.01)
    u, v = pose.local(shot.x, shot.y)
    draw = shot.draw("material")
    surface = _board(shot, draw, pose, (u, v))
    mask = shot.zeros()
    struck = shot.flaw.whole(0, len(PARTS) - 1)
    for k, part in enumerate(PARTS):
        sway = (draw.bell(1.0), draw.bell(1.0), draw.bell(0.015))
        missing = shot.defect == "missing_part" and k == struck
        _pads(surface, shot, draw, (u - part.u, v - part.v), part)
        if shot.defect == "tilted_part" and k == struck:
            lean = shot.between(0.16, 0.7) * (1 if shot.flaw.chance(0.5) else -1)
            straight = _body_mask(u - part.u, v - part.v, part, sway)
            sway = (sway[0] + shot.flaw.bell(3), sway[1] + shot.flaw.bell(3), sway[2] + lean)
            mask = np.maximum(straight, _body_mask(u - part.u, v - part.v, part, sway))
        if missing:
            mask = _body_mask(u - part.u, v - part.v, part, sway)
        else:
            _body(surface, draw, (u - part.u, v - part.v), part, sway)
    bridge = _chip(surface, shot, draw, u - CHIP_U, v - CHIP_V)
    _can(surface, shot, draw, u - CAN_U, v - CAN_V)
    _header(surface, shot, draw, u, v)
    defects.dust(surface, shot, count=8)
    if shot.defect == "solder_bridge":
        mask = bridge
    elif shot.defect in ("scratch", "flux_residue"):
        mask = _flaw(surface, shot, (u, v))
    return Scene(surface, LIGHT, mask if shot.defect else None, Camera(exposure=1.1))


def _board(shot: Shot, draw: Draw, pose: Pose, uv: tuple[Field, Field]) -> Surface:
    n, (u, v) = shot.n, uv
    glass = np.sin(u * 0.9) * np.sin(v * 0.9)
    cloud = noise.fractal(draw, n, 6, octaves=4)
    albedo = (
        colour_field(n, MASK_GREEN)
        * np.clip(1 + 0.05 * glass + 0.06 * cloud + draw.bell(0.05), 0.4, 2)[..., None]
    )
    s = Surface(0.07 * glass + 0.3 * noise.smooth(draw, n, 12), albedo, rough=0.2, spec=0.045)
    copper = shot.zeros()
    for path in TRACES:
        points = [pose.place(float(a), float(b)) for a, b in path]
        copper = np.maximum(copper, step(1.15, 0.85, stroke(n, points, 4.2, taper=False)))
    s.height = s.height + 1.3 * noise.blur(copper, 0.8)
    s.paint(copper * 0.85, (0.016, 0.17, 0.06))
    for a, b in ((-112, 180), (128, -96), (-208, 120), (60, 196), (-120, -190), (20, -190)):
        ring = disc(u - a, v - b, 9)
        s.paint(cover(ring), TIN, metal=1.0, rough=0.3, spec=0.5)
        s.height = s.height - 6 * cover(ring + 5)
        s.paint(cover(ring + 5), (0.01, 0.01, 0.01), metal=0.0, rough=0.9, spec=0.02)
    silk = lettering("AOS-4 PB", u + 30, v + 212, 24, 0.42)
    silk = silk + lettering("C1", u + 120, v - 140, 17, 0.42) + lettering("R4", u - 174, v - 104, 15, 0.42)
    silk = silk + step(2.2, 1.2, np.abs(box(u - CHIP_U, v - CHIP_V, 100, 100))) * step(
        60, 64, np.abs(u - CHIP_U)
    )
    silk = silk * step(60, 64, np.abs(v - CHIP_V)) + step(
        2.2, 1.2, np.abs(disc(u - CAN_U, v - CAN_V, CAN_R + 7))
    )
    s.paint(np.clip(silk, 0, 1) * 0.9, SILK, rough=0.6)
    return s


def _turned(uv: tuple[Field, Field], sway: tuple[float, float, float]) -> tuple[Field, Field]:
    c, s = math.cos(sway[2]), math.sin(sway[2])
    du, dv = uv[0] - sway[0], uv[1] - sway[1]
    return c * du + s * dv, c * dv - s * du


def _body_mask(u: Field, v: Field, part: Part, sway: tuple[float, float, float]) -> Field:
    return cover(box(*_turned((u, v), sway), part.length, part.width) - 1)


def _pads(s: Surface, shot: Shot, draw: Draw, uv: tuple[Field, Field], part: Part) -> None:
    """Two tinned pads with a solder fillet each."""
    u, v = (uv[1], uv[0]) if part.upright else uv
    length = part.width if part.upright else part.length
    width = part.length if part.upright else part.width
    for side in (-1, 1):
        edge = box(u - side * (length - 1), v, 11, width + 3, 3)
        pad = cover(edge)
        swell = draw.span(3.5, 6)
        s.height = s.height + swell * np.sqrt(np.clip(-edge / 9, 0, 1))
        s.paint(pad, TIN, metal=1.0, rough=0.2, spec=0.5)


def _body(
    s: Surface, draw: Draw, uv: tuple[Field, Field], part: Part, sway: tuple[float, float, float]
) -> None:
    u, v = _turned(uv, sway)
    edge = box(u, v, part.length, part.width, 2)
    solid = cover(edge)
    along, reach = (v, part.width) if part.upright else (u, part.length)
    ends = solid * step(reach - 9, reach - 7.5, np.abs(along))
    top = part.rise - np.maximum(edge + 2.5, 0) * 1.1
    s.height = np.where(solid > 0.5, top, s.height)
    tone = 1 + draw.bell(0.08)
    s.paint(solid, np.array(part.body) * tone, metal=0.0, rough=0.4, spec=0.04)
    s.paint(ends, TIN, metal=1.0, rough=0.28, spec=0.5)


def _chip(s: Surface, shot: Shot, draw: Draw, u: Field, v: Field) -> Field:
    """A quad flat pack. Returns the mask of solder that joins two of its pins."""
    pitch, half = 15.0, CHIP_HALF
    bridge = shot.zeros()
    struck_side, struck = shot.flaw.whole(0, 3), shot.flaw.whole(-3, 2) + 0.5
    for side, (a, b) in enumerate(((u, v), (u, -v), (v, u), (v, -u))):
        place = np.clip(np.round(a / pitch), -3, 3)
        along, out = a - place * pitch, b - half
        land = cover(box(along, out - 14, 4.6, 13, 1.5))
        pin = cover(box(along, out - 8, 3.2, 12, 1))
        s.paint(land, TIN, metal=1.0, rough=0.25, spec=0.5)
        slope = np.clip(1 - (out - 2) / 12, 0, 1)
        s.height = np.where(pin > 0.5, 2 + 7 * slope, s.height + 1.6 * land)
        s.paint(pin, (0.66, 0.66, 0.64), metal=1.0, rough=0.2, spec=0.5)
        if shot.defect == "solder_bridge" and side == struck_side:
            edge = box(a - struck * pitch, out - shot.between(15, 13), pitch * 0.55, shot.between(3.5, 9), 4)
            edge = edge + 0.9 * noise.smooth(shot.flaw, shot.n, 60)
            bridge = cover(edge)
            s.height = s.height + 6 * np.sqrt(np.clip(-edge / 6, 0, 1))
            s.paint(bridge, TIN, metal=1.0, rough=0.15, spec=0.5)
    edge = box(u, v, half, half, 2)
    body = cover(edge)
    mould = 0.16 * noise.smooth(draw, shot.n, 150)
    dimple = cover(disc(u + 46, v + 46, 6), 3)
    s.height = np.where(body > 0.5, 20 - np.maximum(edge + 4, 0) * 0.9 + mould - 1.6 * dimple, s.height)
    s.paint(body, (0.018, 0.018, 0.02), metal=0.0, rough=0.5, spec=0.04)
    ink = lettering("AO-5814", u, v + 8, 21, 0.42) + lettering("2-CR3", u, v - 22, 17, 0.42)
    s.paint(np.clip(ink, 0, 1) * 0.6, (0.33, 0.33, 0.32))
    return bridge * (1 - body)


def _can(s: Surface, shot: Shot, draw: Draw, u: Field, v: Field) -> None:
    """An aluminium electrolytic capacitor from above."""
    base = cover(box(u, v, CAN_R, CAN_R, 10))
    s.height = np.where(base > 0.5, np.float32(9), s.height)
    s.paint(base, (0.02, 0.02, 0.022), metal=0.0, rough=0.5, spec=0.04)
    r = np.hypot(u, v)
    edge = r - (CAN_R - 5)
    top = cover(edge)
    spun = noise.streaks(draw, r, np.arctan2(v, u) * 40, width=1.2, length=90)
    vent = step(2.0, 0.8, np.minimum(np.abs(u), np.abs(v))) * step(34, 30, r)
    height = 44 - np.square(np.maximum(edge + 9, 0)) * 0.22 + 0.1 * spun - 1.3 * vent
    s.height = np.where(top > 0.5, height, s.height)
    s.paint(top, (0.6, 0.6, 0.6), metal=1.0, rough=0.3, spec=0.5)
    stripe = top * step(26, 28, u) * step(CAN_R - 8, CAN_R - 11, r)
    s.paint(stripe * 0.92, (0.02, 0.02, 0.03), metal=0.0, rough=0.5)


def _header(s: Surface, shot: Shot, draw: Draw, u: Field, v: Field) -> None:
    """Plated holes filled with domes of solder along the lower edge."""
    for a, b in PINS:
        r = np.hypot(u - a - draw.bell(0.5), v - b)
        edge = r - 16
        s.paint(cover(edge), (0.6, 0.46, 0.18), metal=1.0, rough=0.3, spec=0.5)
        drop = r - (12.5 + draw.bell(0.8))
        s.height = np.where(drop < 0, 9 * np.sqrt(np.clip(1 - np.square(r / 13.5), 0, 1)) + 1, s.height)
        s.paint(cover(drop), TIN, metal=1.0, rough=0.14, spec=0.5)


def _flaw(s: Surface, shot: Shot, uv: tuple[Field, Field]) -> Field:
    u, v = uv
    frame = step(225, 205, np.maximum(np.abs(u), np.abs(v)))
    bare = frame * step(6, 3, noise.blur(s.height, 3))
    if shot.defect == "scratch":
        return defects.scratch(s, shot, bare, length=(40, 130), width=1.7, depth=0.8, bare=(0.5, 0.28, 0.12))
    return defects.smear(
        s,
        shot,
        bare,
        radius=(14, 36),
        colour=(0.33, 0.21, 0.07),
        opacity=(0.15, 0.55),
        rough=0.1,
        thickness=1.8,
    )
