"""A film-less oblong tablet with red specks and a debossed code."""

from __future__ import annotations

import numpy as np

from anomalyos.products.sample import defects, noise, stage
from anomalyos.products.sample.camera import Camera
from anomalyos.products.sample.draws import Field
from anomalyos.products.sample.geometry import Pose, blob, box, cover, spot, step
from anomalyos.products.sample.glyphs import lettering
from anomalyos.products.sample.shading import Light, Surface, colour_field
from anomalyos.products.sample.shot import Scene, Shot

LIGHT = Light(
    azimuth=230,
    elevation=47,
    key=0.85,
    fill=0.42,
    box=(0.4, 0.3),
    box_power=1.6,
    room=0.25,
    occlusion_reach=7,
)
LONG, WIDE = 178.0, 86.0
CHALK = (0.66, 0.64, 0.585)
FRACTURE = (0.57, 0.55, 0.5)


def build(shot: Shot) -> Scene:
    pose = shot.pose(shift=20, turn=0.1)
    u, v = pose.local(shot.x, shot.y)
    edge = box(u, v, LONG, WIDE, WIDE - 1)
    imprint = lettering("AN", u + 76, v, 58, 0.5) + lettering("25", u - 78, v, 58, 0.5)
    score = step(5.0, 1.5, np.abs(u)) * step(-2, -14, edge)
    code: Field = np.clip(imprint, 0, 1)
    mask: Field | None = None
    if shot.defect == "faulty_imprint":
        code, mask = _faint(shot, code)
    tablet, alpha = _tablet(shot, edge, code, score)
    if mask is None:
        mask = _flaw(tablet, shot, pose, edge, alpha)
    surface = stage.rest(stage.felt(shot, (0.018, 0.022, 0.03)), tablet, alpha)
    defects.dust(surface, shot, count=4, colour=(0.4, 0.4, 0.4))
    return Scene(surface, LIGHT, mask, Camera(exposure=1.05, grain=2.1))


def _tablet(shot: Shot, edge: Field, code: Field, score: Field) -> tuple[Surface, Field]:
    draw, n = shot.draw("material"), shot.n
    alpha = cover(edge + 0.5 * noise.smooth(draw, n, 60), 1.6)
    inward = np.clip(-edge / WIDE, 0, 1)
    dome = 44 * np.sqrt(1 - np.square(1 - inward)) + 12
    land = 5 * np.exp(-np.square((edge + 6) / 4))
    powder = noise.fractal(draw, n, 60, octaves=3, gain=0.8)
    press = noise.smooth(draw, n, 10)
    pits = step(2.1, 2.9, noise.smooth(draw, n, 120))
    height = dome - land - 6.5 * noise.blur(code, 2.4) - 4.5 * noise.blur(score, 1.2)
    height = height + 0.2 * powder + 0.4 * press - 0.9 * pits
    coarse, fine = noise.smooth(draw, n, 62), noise.smooth(draw, n, 120)
    speck = np.clip(step(1.9, 2.5, coarse) + 0.8 * step(2.05, 2.7, fine), 0, 1)
    albedo = colour_field(n, CHALK)
    albedo += (speck * 0.8)[..., None] * (np.array((0.36, 0.06, 0.045), dtype=np.float32) - albedo)
    tone = (1 + 0.02 * powder + 0.02 * press + draw.bell(0.025)) * (1 - 0.2 * code)
    albedo *= np.clip(tone, 0.3, 1.3)[..., None]
    return Surface(height, albedo, rough=0.55, spec=0.035), alpha


def _faint(shot: Shot, code: Field) -> tuple[Field, Field]:
    """Part of the code sticks to the punch: it is shallow or filled."""
    draw = shot.flaw
    patch = blob(draw, shot.n, spot(draw, code, 0.6), shot.between(28, 54), stretch=1.5, ragged=0.3)
    lost = step(1.05, 0.8, patch) * shot.between(0.85, 1.0)
    worn = code * (1 - lost)
    return worn, (noise.blur(code, 2.5) > 0.2) * step(1.02, 0.95, patch)


def _flaw(s: Surface, shot: Shot, pose: Pose, edge: Field, alpha: Field) -> Field | None:
    draw = shot.flaw
    body = step(-10, -22, edge)
    match shot.defect:
        case "chip":
            rim = alpha * step(-9, -4, edge)
            at = spot(draw, rim)
            return defects.chip(s, shot, alpha, at, radius=(11, 32), depth=13, colour=FRACTURE)
        case "crack":
            heading = 1.57 + pose.angle + draw.bell(0.5)
            return defects.crack(
                s, shot, alpha * step(-3, -7, edge), length=(50, 150), width=2.2, colour=(0.2, 0.18, 0.15),
                start=spot(draw, body), angle=heading, depth=3,
            )  # fmt: skip
        case "contamination":
            shade = (0.05, 0.045, 0.04) if draw.chance(0.6) else (0.05, 0.12, 0.3)
            return defects.crumb(s, shot, body, radius=(7, 12), colour=shade, rise=0.35)
        case "discolouration":
            return defects.stain(
                s,
                shot,
                body * alpha,
                radius=(18, 48),
                colour=(0.82, 0.66, 0.33),
                strength=(0.45, 0.9),
                ring=0.1,
            )
    return None
