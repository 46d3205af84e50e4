"""Electronic parts for circuit boards, each drawn into a small view of the board's surface."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from anomalyos.products.sample import noise
from anomalyos.products.sample.draws import Draw, Field
from anomalyos.products.sample.geometry import box, cover, disc, step
from anomalyos.products.sample.glyphs import lettering
from anomalyos.products.sample.shading import Colour, Surface

TIN = (0.62, 0.62, 0.6)
CHIP_HALF, CAN_RADIUS, CHIP_PITCH = 66.0, 62.0, 15.0
RESISTOR, CERAMIC, TANTALUM = (0.013, 0.013, 0.015), (0.24, 0.155, 0.09), (0.42, 0.22, 0.02)
Sway = tuple[float, float, float]
"""How a part sits off its place: shift along u and v (units), turn (radians)."""


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


@dataclass(frozen=True)
class Bridge:
    """Solder joining two neighbouring pins of a chip: its side, place (pins from the middle), half height."""

    side: int
    pin: float
    thickness: float
    draw: Draw


def outline(u: Field, v: Field, part: Part, sway: Sway) -> Field:
    """Signed distance to the body of a part whose place is the origin."""
    return box(*_turned(u, v, sway), part.length, part.width, 2)


def _turned(u: Field, v: Field, sway: Sway) -> tuple[Field, Field]:
    c, s = math.cos(sway[2]), math.sin(sway[2])
    du, dv = u - sway[0], v - sway[1]
    return c * du + s * dv, c * dv - s * du


def pads(s: Surface, u: Field, v: Field, part: Part, swell: tuple[float, float]) -> None:
    """Two tinned pads, each with a fillet of solder ``swell`` units high."""
    along, across = (v, u) if part.upright else (u, v)
    length = part.width if part.upright else part.length
    width = part.length if part.upright else part.width
    for side, rise in zip((-1, 1), swell, strict=True):
        edge = box(along - side * (length - 1), across, 11, width + 3, 3)
        s.height += rise * np.sqrt(np.clip(-edge / 9, 0, 1))
        s.paint(cover(edge), TIN, metal=1.0, rough=0.2, spec=0.5)


def body(s: Surface, u: Field, v: Field, part: Part, sway: Sway, tone: float) -> None:
    """The part itself: moulded middle, tinned ends."""
    edge = outline(u, v, part, sway)
    solid = cover(edge)
    du, dv = _turned(u, v, sway)
    along, reach = (dv, part.width) if part.upright else (du, part.length)
    ends = solid * step(reach - 9, reach - 7.5, np.abs(along))
    top = part.rise - np.maximum(edge + 2.5, 0) * 1.1
    np.copyto(s.height, top, where=solid > 0.5)
    s.paint(solid, np.array(part.body) * tone, metal=0.0, rough=0.4, spec=0.04)
    s.paint(ends, TIN, metal=1.0, rough=0.28, spec=0.5)


def chip(s: Surface, u: Field, v: Field, mould: Field, bridge: Bridge | None) -> Field:
    """A quad flat pack with seven pins a side. Returns the coverage of the solder bridge.

    ``mould`` is the grain of the package, a noise field over the view.
    """
    joined = np.zeros_like(u)
    for side, (a, b) in enumerate(((u, v), (u, -v), (v, u), (v, -u))):
        along = a - np.clip(np.round(a / CHIP_PITCH), -3, 3) * CHIP_PITCH
        out = b - CHIP_HALF
        land = cover(box(along, out - 14, 4.6, 13, 1.5))
        pin = cover(box(along, out - 8, 3.2, 12, 1))
        s.paint(land, TIN, metal=1.0, rough=0.25, spec=0.5)
        s.height += 1.6 * land
        np.copyto(s.height, 2 + 7 * np.clip(1 - (out - 2) / 12, 0, 1), where=pin > 0.5)
        s.paint(pin, (0.66, 0.66, 0.64), metal=1.0, rough=0.2, spec=0.5)
        if bridge is not None and side == bridge.side:
            edge = box(a - bridge.pin * CHIP_PITCH, out - 14, CHIP_PITCH * 1.05, bridge.thickness, 4)
            edge = edge + 1.2 * np.sin(a * bridge.draw.span(0.2, 0.4) + bridge.draw.span(0, 6))
            joined = cover(edge)
            # one smooth drop over both pins
            drop = 9 + 6 * np.sqrt(np.clip(-edge / 9, 0, 1))
            np.copyto(s.height, np.maximum(drop, s.height), where=joined > 0.5)
            s.paint(joined, TIN, metal=1.0, rough=0.15, spec=0.5)
    edge = box(u, v, CHIP_HALF, CHIP_HALF, 2)
    package = cover(edge)
    dimple = cover(disc(u + 46, v + 46, 6), 3)
    top = 20 - np.maximum(edge + 4, 0) * 0.9 + 0.07 * mould - 1.6 * dimple
    np.copyto(s.height, top, where=package > 0.5)
    s.paint(package, (0.011, 0.011, 0.012), metal=0.0, rough=0.55, spec=0.03)
    ink = lettering("AO-5814", u, v + 8, 20) + lettering("2-CR3", u, v - 22, 16)
    s.paint(np.clip(ink, 0, 1) * 0.7, (0.3, 0.3, 0.29))
    return joined * (1 - package)


def can(s: Surface, u: Field, v: Field, draw: Draw) -> None:
    """An aluminium electrolytic capacitor on its plastic base."""
    base = cover(box(u, v, CAN_RADIUS, CAN_RADIUS, 10))
    np.copyto(s.height, np.float32(9), where=base > 0.5)
    s.paint(base, (0.014, 0.014, 0.015), metal=0.0, rough=0.5, spec=0.04)
    r = np.hypot(u, v)
    edge = r - (CAN_RADIUS - 5)
    top = cover(edge)
    spun = noise.streaks(draw, r, np.arctan2(v, u) * 40, width=1.2, length=90)
    vent = step(2.0, 0.8, np.minimum(np.abs(u), np.abs(v))) * step(34, 30, r)
    height = 44 - np.square(np.maximum(edge + 9, 0)) * 0.22 + 0.06 * spun - 1.3 * vent
    np.copyto(s.height, height, where=top > 0.5)
    s.paint(top, (0.6, 0.6, 0.6), metal=1.0, rough=0.3, spec=0.5)
    stripe = top * step(26, 28, u) * step(CAN_RADIUS - 8, CAN_RADIUS - 11, r)
    s.paint(stripe * 0.92, (0.015, 0.015, 0.02), metal=0.0, rough=0.5)


def pin(s: Surface, u: Field, v: Field, size: float) -> None:
    """A plated hole filled with a dome of solder ``size`` units in radius."""
    r = np.hypot(u, v)
    s.paint(cover(r - 16), (0.6, 0.46, 0.18), metal=1.0, rough=0.3, spec=0.5)
    np.copyto(s.height, 9 * np.sqrt(np.clip(1 - np.square(r / (size + 1)), 0, 1)) + 1, where=r < size)
    s.paint(cover(r - size), TIN, metal=1.0, rough=0.14, spec=0.5)
