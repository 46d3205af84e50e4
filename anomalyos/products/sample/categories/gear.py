"""A machined spur gear with lightening holes."""

from __future__ import annotations

import math

import numpy as np

from anomalyos.products.sample import defects, noise, stage
from anomalyos.products.sample.camera import Camera
from anomalyos.products.sample.draws import Field
from anomalyos.products.sample.geometry import Pose, box, cover, disc, step
from anomalyos.products.sample.shading import Light, Surface, bow_tie
from anomalyos.products.sample.shot import Scene, Shot

LIGHT = Light(
    azimuth=232, elevation=56, key=0.9, fill=0.5, box=(0.26, 0.4), box_power=1.7, room=0.27, perspective=0.42,
    occlusion_reach=9,
)  # fmt: skip
TEETH, ROOT, TIP, BORE, THICK = 22, 182.0, 218.0, 40.0, 34.0
STEEL = np.array((0.55, 0.545, 0.54), dtype=np.float32)


def build(shot: Shot) -> Scene:
    pose = shot.pose(shift=12, turn=0.2)
    u, v = pose.local(shot.x, shot.y)
    r, theta = np.sqrt(u * u + v * v), np.arctan2(v, u)
    outline, lost = _outline(shot, r, theta)
    part, solid = _gear(shot, (u, v), (r, theta), outline)
    part.tint(bow_tie(theta + pose.angle, LIGHT))
    mask = lost if shot.defect == "missing_tooth" else _flaw(part, shot, pose, r, solid)
    surface = stage.rest(stage.sheet(shot, (0.36, 0.40, 0.46)), part, solid)
    defects.dust(surface, shot, count=6)
    return Scene(surface, LIGHT, mask, Camera(exposure=1.08))


def _outline(shot: Shot, r: Field, theta: Field) -> tuple[Field, Field]:
    """Signed distance to the toothed outline, and the coverage of a lost tooth."""
    phase = theta * np.float32(TEETH / (2 * math.pi))
    nearest = np.round(phase)
    offset = np.abs(phase - nearest)
    # flanks lean in: wide at the root, narrow at the tip
    climb = np.clip((r - ROOT) / (TIP - ROOT), 0, 1)
    half_width = 0.31 - 0.16 * climb**1.3
    flank = (offset - half_width) * r * np.float32(2 * math.pi / TEETH)
    tooth = np.maximum(flank, r - TIP)
    disc_part = r - ROOT - 4 * np.maximum(offset - 0.38, 0)
    whole = np.minimum(np.maximum(tooth, ROOT - 8 - r), disc_part)
    if shot.defect != "missing_tooth":
        return whole, shot.zeros()
    draw = shot.flaw
    gone = nearest == draw.whole(-TEETH // 2 + 1, TEETH // 2)
    stump = ROOT + shot.between(0.62, 0.05) * (TIP - ROOT)
    break_line = stump + 2.5 * noise.smooth(draw, shot.n, 40)
    broken = np.where(gone, np.maximum(whole, r - break_line), whole)
    return broken, cover(whole, 1.4) * (1 - cover(broken, 1.4))


def _gear(
    shot: Shot, uv: tuple[Field, Field], polar: tuple[Field, Field], outline: Field
) -> tuple[Surface, Field]:
    draw, n = shot.draw("material"), shot.n
    (u, v), (r, theta) = uv, polar
    bore = np.minimum(disc(u, v, BORE), box(u - BORE, v, 15, 9))
    holes = shot.zeros() + 99
    for k in range(5):
        angle = 2 * math.pi * (k + 0.5) / 5
        holes = np.minimum(holes, disc(u - 104 * math.cos(angle), v - 104 * math.sin(angle), 27))
    inner = np.minimum(bore, holes)
    solid = cover(np.maximum(outline, -inner), 1.4)
    web = step(63, 67, r) * step(150, 146, r)
    edge = np.maximum(outline, -inner)
    chamfer = np.maximum(edge + 3.0, 0) * 1.1
    height = THICK - 8 * web - chamfer
    lathe = noise.streaks(draw, r, theta * 100, width=1.2, length=160)
    waves = np.sin(r * 1.15)
    wear = noise.fractal(draw, n, 8, octaves=5, gain=0.62)
    height = height + 0.06 * lathe + 0.035 * waves + 0.14 * wear * web + 0.04 * noise.white(draw, n)
    oil = step(0.6, 2.2, noise.fractal(draw, n, 4, octaves=3)) * 0.12
    tone = np.clip(1 + 0.02 * lathe + 0.05 * wear - oil, 0.3, 1.3)
    rough = np.clip(0.26 + 0.12 * web + 0.03 * wear, 0.1, 0.7)
    return Surface(height, STEEL * tone[..., None], rough=rough, spec=0.5, metal=1.0), solid


def _flaw(s: Surface, shot: Shot, pose: Pose, r: Field, solid: Field) -> Field | None:
    draw = shot.flaw
    rim = step(152, 156, r) * step(ROOT - 4, ROOT - 8, r) * solid
    match shot.defect:
        case "chipped_tooth":
            angle = 2 * math.pi * draw.whole(0, TEETH - 1) / TEETH
            at = pose.place((TIP - 3) * math.cos(angle), (TIP - 3) * math.sin(angle))
            return defects.chip(
                s, shot, solid, at, radius=(14, 26), depth=18, colour=(0.42, 0.41, 0.4), rough=0.45
            )
        case "crack":
            angle = 2 * math.pi * (draw.whole(0, TEETH - 1) + 0.5) / TEETH
            at = pose.place((ROOT - 1) * math.cos(angle), (ROOT - 1) * math.sin(angle))
            heading = angle + pose.angle + math.pi + draw.bell(0.4)
            return defects.crack(s, shot, solid, length=(32, 90), width=1.4, depth=4, start=at, angle=heading)
        case "scratch":
            return defects.scratch(
                s, shot, rim, length=(60, 150), width=2.8, depth=3.2, bare=(0.7, 0.7, 0.69)
            )
        case "corrosion":
            return defects.rust(s, shot, solid, radius=(15, 44), colour=(0.17, 0.07, 0.03))
    return None
