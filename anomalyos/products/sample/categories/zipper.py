"""A closed metal zipper on black tape."""

from __future__ import annotations

import numpy as np

from anomalyos.products.sample import defects, noise
from anomalyos.products.sample.camera import Camera
from anomalyos.products.sample.draws import Draw, Field
from anomalyos.products.sample.geometry import box, cover, step
from anomalyos.products.sample.shading import Light, Surface, colour_field
from anomalyos.products.sample.shot import Scene, Shot
from anomalyos.products.sample.weave import cross

LIGHT = Light(
    azimuth=215, elevation=48, key=1.2, fill=0.6, box=(0.3, 0.45), box_power=2.6, room=0.3, occlusion_reach=7,
    occlusion=1.3,
)  # fmt: skip
PITCH, REACH, TOOTH, INNER = 33.0, 46.0, 13.0, 10.0
NICKEL = (0.58, 0.53, 0.42)


def build(shot: Shot) -> Scene:
    pose = shot.pose(shift=12, turn=0.035)
    u, v = pose.local(shot.x, shot.y)
    draw = shot.draw("material")
    u = u + 1.6 * noise.smooth(draw, shot.n, 3)
    opening, mask = _split(shot, u, v)
    surface = _tape(shot, draw, u, v, opening)
    struck = (shot.flaw.whole(-5, 5), 1 if shot.flaw.chance(0.5) else -1)
    for side in (-1, 1):
        flawed = struck[0] if side == struck[1] else None
        gone = _teeth(surface, shot, draw, (u * side + opening, v), side, flawed)
        mask = gone if mask is None else np.maximum(mask, gone)
    defects.dust(surface, shot, count=8, colour=(0.35, 0.34, 0.33))
    if shot.defect in ("torn_fabric", "frayed_thread"):
        mask = _flaw(surface, shot, u)
    return Scene(surface, LIGHT, mask if shot.defect else None, Camera(exposure=1.15, grain=2.4))


def _split(shot: Shot, u: Field, v: Field) -> tuple[Field, Field | None]:
    """How far each side stands off the middle (negative: away from it), units."""
    if shot.defect != "split":
        return shot.zeros(), None
    draw = shot.flaw
    centre, half = draw.span(-140, 140), shot.between(40, 100)
    bulge = np.square(np.maximum(1 - np.square((v - centre) / half), 0))
    opening = -shot.between(2.5, 14) * bulge
    return opening, step(0.12, 0.16, bulge) * step(REACH + 12, REACH + 8, np.abs(u))


def _tape(shot: Shot, draw: Draw, u: Field, v: Field, opening: Field) -> Surface:
    n = shot.n
    warp, weft = cross(u * 1.06 + 4096, v + 4096, 8.0, 2)
    lift = np.maximum(
        warp.lift * (1 - np.square(warp.across * 1.6)), weft.lift * (1 - np.square(weft.across * 1.6))
    )
    side = np.abs(u) + opening
    # a ribbed cord runs under the teeth, a stitched seam beside it
    cord = np.exp(-np.square((side - 34) / 12)) * 9
    seam = np.exp(-np.square((side - 92) / 3.5))
    stitch = (0.5 + 0.5 * np.sin(v * 0.36)) * seam
    fuzz = noise.white(draw, n)
    slub = noise.fractal(draw, n, 6, octaves=3)
    height = 1.5 * lift + cord + 2.6 * stitch + 0.18 * fuzz
    gap = step(INNER - 4, INNER - 8, side)
    albedo = colour_field(n, (0.028, 0.029, 0.034))
    thread = warp.per_thread(1 + 0.05 * draw.bells(67)) * weft.per_thread(1 + 0.05 * draw.bells(61))
    albedo *= np.clip((0.75 + 0.3 * lift) * thread * (1 + 0.06 * slub + 0.08 * fuzz), 0.1, 2.5)[..., None]
    s = Surface(height - 14 * gap, albedo, rough=0.8, spec=0.03)
    s.paint(stitch * 0.5, (0.06, 0.06, 0.065))
    s.paint(gap, (0.008, 0.008, 0.009), rough=0.95, spec=0.01)
    return s


def _teeth(
    s: Surface, shot: Shot, draw: Draw, uv: tuple[Field, Field], side: int, struck: int | None
) -> Field:
    """One row of teeth; ``uv[0]`` grows away from the middle. Returns the coverage of tooth ``struck``."""
    u, v = uv
    slide = 0.0 if side > 0 else PITCH / 2
    place = (v + slide) / PITCH + 50
    index = np.floor(place)
    k = index.astype(np.intp) % 41
    along = (place - index - 0.5) * PITCH + (0.35 * draw.bells(41))[k]
    out = u + (0.6 * draw.bells(41))[k]
    flawed = index == 50 + struck if struck is not None else np.zeros_like(index, dtype=bool)
    if shot.defect == "bent_tooth":
        lean = shot.between(0.05, 0.2) * (1 if shot.flaw.chance(0.5) else -1)
        along = np.where(flawed, along + lean * (out - REACH), along)
    # a waist behind a wide head that reaches past the middle
    head = step(16, 2, out)
    half = TOOTH / 2 + 1.6 * head - 1.2 * np.exp(-np.square((out - 18) / 7))
    edge = box(out - (REACH - INNER) / 2, along, (REACH + INNER) / 2, TOOTH / 2, 4) - (half - TOOTH / 2)
    metal = cover(edge, 1.4)
    mask = np.where(flawed, metal, np.float32(0))
    if shot.defect == "missing_tooth":
        metal = metal * (1 - flawed)
    tone = np.clip(
        (1 + 0.06 * draw.bells(41))[k] + 0.05 * noise.fractal(draw, shot.n, 30, octaves=3), 0.4, 1.4
    )
    round_ = np.minimum(-edge, 5.0)
    top = 17 + 7 * np.sqrt(np.clip(round_ / 5, 0, 1)) - 0.05 * out + 2.4 * np.exp(-np.square((out + 2) / 5))
    top = top + 0.2 * noise.smooth(draw, shot.n, 90)
    s.height = np.where(metal > 0.5, np.maximum(top, s.height), s.height)
    s.paint(metal, np.array(NICKEL, dtype=np.float32) * tone[..., None], rough=0.27, spec=0.5, metal=1.0)
    if shot.defect in ("missing_tooth", "bent_tooth"):
        return mask
    return np.zeros_like(mask)


def _flaw(s: Surface, shot: Shot, u: Field) -> Field:
    cloth = step(REACH + 26, REACH + 40, np.abs(u)) * shot.middle(30, 60)
    if shot.defect == "torn_fabric":
        return defects.hole(
            s,
            shot,
            cloth,
            radius=(3.5, 10),
            depth=7,
            colour=(0.16, 0.15, 0.14),
            ragged=0.55,
            stretch=1.8,
            lip=1.6,
        )
    return defects.fibre(s, shot, cloth, length=(24, 90), width=1.0, colour=(0.09, 0.09, 0.1), lift=1.5)
