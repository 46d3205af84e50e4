"""A lacquered crown cork from above."""

from __future__ import annotations

import math

import numpy as np

from anomalyos.products.sample import defects, noise, stage
from anomalyos.products.sample.camera import Camera
from anomalyos.products.sample.draws import Field
from anomalyos.products.sample.geometry import blob, cover, spot, step
from anomalyos.products.sample.glyphs import lettering
from anomalyos.products.sample.shading import Light, Surface, colour_field
from anomalyos.products.sample.shot import Scene, Shot

LIGHT = Light(
    azimuth=226, elevation=54, key=0.95, fill=0.5, box=(0.3, 0.3), box_power=7.0, room=0.5, perspective=0.3,
    occlusion_reach=8,
)  # fmt: skip
FLUTES, RIM, TOP = 21, 196.0, 150.0
RED, CREAM = (0.33, 0.018, 0.018), (0.62, 0.55, 0.40)
TIN = (0.62, 0.61, 0.6)


def build(shot: Shot) -> Scene:
    pose = shot.pose(shift=16, turn=0.22)
    u, v = pose.local(shot.x, shot.y)
    r, theta = np.sqrt(u * u + v * v), np.arctan2(v, u)
    wave, bent = _flutes(shot, theta)
    cap, alpha = _cap(shot, r, wave)
    mask: Field | None = None
    ink = _print(shot, u, v, r, theta)
    if shot.defect == "print_fault":
        ink, mask = _fault(shot, ink, step(TOP - 14, TOP - 22, r))
    cap.paint(ink, CREAM)
    if shot.defect == "bent_flute":
        mask = bent * cover(r - RIM - 12) * step(TOP, TOP + 6, r)
    elif mask is None:
        mask = _flaw(cap, shot, r, alpha)
    surface = stage.rest(stage.belt(shot, (0.075, 0.075, 0.07)), cap, alpha)
    defects.dust(surface, shot, count=7)
    return Scene(surface, LIGHT, mask, Camera(exposure=1.08))


def _flutes(shot: Shot, theta: Field) -> tuple[Field, Field]:
    """How far the skirt stands out around the cap (-1..1), and where a flute was flattened."""
    draw = shot.draw("material")
    wobble = noise.smooth(draw, shot.n, 5) * 0.06
    wave = np.cos(theta * FLUTES) * (1 + wobble)
    if shot.defect != "bent_flute":
        return wave, shot.zeros()
    flaw = shot.flaw
    centre, half = flaw.span(-2.5, 2.5), shot.between(0.15, 0.3)
    near = step(half, half * 0.6, np.abs(theta - centre))
    return wave + near * (shot.between(-0.55, -1.6) - 0.75 * wave), near


def _cap(shot: Shot, r: Field, wave: Field) -> tuple[Surface, Field]:
    draw, n = shot.draw("paint"), shot.n
    slope = np.clip((r - TOP) / (RIM - TOP), 0, 1)
    edge = RIM + 8.5 * wave
    alpha = cover(r - edge, 1.5)
    shoulder = 66 - 13 * np.square(r / TOP)
    height = shoulder - 46 * slope**1.7 + 11 * wave * slope**1.2
    height = height + 2.2 * np.exp(-np.square((r - TOP + 9) / 6)) - 3 * np.maximum(r - edge + 5, 0) * 0.3
    peel = 0.16 * noise.smooth(draw, n, 46) + 0.5 * noise.smooth(draw, n, 7)
    wear = noise.fractal(draw, n, 8, octaves=4, gain=0.6)
    albedo = colour_field(n, RED) * np.clip(1 + 0.06 * wear + draw.bell(0.05), 0.4, 1.6)[..., None]
    cap = Surface(height + peel, albedo, rough=np.clip(0.11 + 0.03 * wear, 0.05, 0.6), spec=0.055)
    # lacquer is thin where the skirt was drawn over the die, and gone at the cut edge
    worn = np.clip(step(0.78, 1.0, slope) * step(0.2, 1.4, wave + 0.6 * wear), 0, 1) * 0.3
    cut = step(edge - 4, edge - 1.5, r)
    cap.paint(np.maximum(worn, cut), TIN, metal=1.0, rough=0.35)
    return cap, alpha


def _print(shot: Shot, u: Field, v: Field, r: Field, theta: Field) -> Field:
    """Cream ink: a ring, lettering on an arc above and below, a star of leaves in the middle."""
    draw = shot.draw("print")
    du, dv = draw.bell(1.6), draw.bell(1.6)
    rings = np.hypot(u - du, v - dv)
    ring = step(4.2, 3.0, np.abs(rings - 128)) + step(2.6, 1.6, np.abs(rings - 71))
    up = np.where(theta > math.pi / 2, theta - 2 * math.pi, theta) + math.pi / 2
    down = np.where(theta < -math.pi / 2, theta + 2 * math.pi, theta) - math.pi / 2
    arc = lettering("NORTH BREW", up * 99, 99 - r, 33, 0.62)
    arc = arc + lettering("* SINCE 1874 *", -down * 99, r - 99, 22, 0.55)
    turned = theta + 0.3
    leaf = 26 + 30 * np.abs(np.cos(2.5 * turned)) ** 1.4
    vein = np.abs(np.sin(2.5 * turned)) * r
    star = step(1.5, -1.5, r - leaf) * (1 - 0.9 * step(0.0, 2.2, 2.6 - np.abs(r - 17)))
    star = star * step(0.6, 2.2, np.abs(vein - r) + 9 * (r < 22))
    ink: Field = np.clip(ring + arc + star, 0, 1) * 0.96
    return ink


def _fault(shot: Shot, ink: Field, inside: Field) -> tuple[Field, Field]:
    """Ink that did not take, or was smudged."""
    draw = shot.flaw
    printed = noise.blur(ink, 6) * inside
    patch = blob(draw, shot.n, spot(draw, printed, 0.35), shot.between(18, 42), stretch=1.8, ragged=0.5)
    zone = step(1.05, 0.85, patch) * inside
    if draw.chance(0.5):
        faulty = ink * (1 - zone * shot.between(0.6, 1.0))
    else:
        faulty = ink + zone * (noise.blur(np.roll(ink, round(shot.n * 0.012), axis=1), 5) * 0.9 - ink)
    changed = noise.blur((np.abs(faulty - ink) > 0.12).astype(np.float32), 2.5) > 0.3
    return faulty, changed.astype(np.float32) * (patch < 1.1)


def _flaw(s: Surface, shot: Shot, r: Field, alpha: Field) -> Field | None:
    top = step(TOP - 12, TOP - 20, r)
    match shot.defect:
        case "dent":
            return defects.dent(s, shot, top, radius=(26, 48), depth=13)
        case "scratch":
            return defects.scratch(s, shot, top, length=(60, 150), width=2.4, depth=1.6, bare=TIN)
        case "rust":
            band = step(TOP - 30, TOP - 8, r) * alpha
            return defects.rust(s, shot, band, radius=(20, 42))
    return None
