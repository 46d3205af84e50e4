"""Loop-pile carpet in heathered grey."""

from __future__ import annotations

import numpy as np

from anomalyos.data.sample import defects, noise
from anomalyos.data.sample.camera import Camera
from anomalyos.data.sample.draws import Field
from anomalyos.data.sample.geometry import step
from anomalyos.data.sample.shading import Light, Surface
from anomalyos.data.sample.shot import Scene, Shot

LIGHT = Light(azimuth=220, elevation=40, key=1.35, fill=0.55, box_power=0.5, occlusion=1.7, occlusion_reach=6)
DYES = np.array(
    ((0.10, 0.11, 0.125), (0.20, 0.205, 0.21), (0.055, 0.06, 0.075), (0.14, 0.12, 0.10)), dtype=np.float32
)


def build(shot: Shot) -> Scene:
    surface = _pile(shot)
    defects.dust(surface, shot, count=9, colour=(0.5, 0.48, 0.42))
    mask = _flaw(surface, shot) if shot.defect else None
    return Scene(surface, LIGHT, mask, Camera(exposure=1.2, grain=2.6, blur=0.5))


def _pile(shot: Shot) -> Surface:
    draw, n = shot.draw("material"), shot.n
    f1, f2, tone = noise.cells(draw, n, 36, jitter=0.62, squeeze=1.25)
    loop = np.sqrt(np.clip(1 - np.square(f1 * 1.45), 0, 1)) * step(0.0, 0.28, f2 - f1)
    lie = 10 * noise.smooth(draw, n, 30)
    yarn = noise.streaks(draw, shot.x + lie, shot.y + lie + 40 * tone, width=2.1, length=11)
    fine = noise.streaks(draw, shot.y - lie, shot.x, width=1.3, length=5)
    dye = DYES[np.minimum((tone * 4).astype(np.intp), 3)]
    broad = noise.fractal(draw, n, 4, octaves=3)
    crushed = noise.smooth(draw, n, 14)
    fuzz = 0.14 * yarn + 0.1 * fine
    shade = (0.45 + 0.55 * loop) * (1 + fuzz + 0.05 * broad + draw.bell(0.05))
    height = 6.5 * loop * (1 + 0.12 * crushed) + 0.55 * yarn * loop + 0.3 * fine
    return Surface(height, dye * np.clip(shade, 0.1, 2)[..., None], rough=0.95, spec=0.015)


def _flaw(s: Surface, shot: Shot) -> Field:
    middle = step(20, 60, np.minimum(np.minimum(shot.x, 512 - shot.x), np.minimum(shot.y, 512 - shot.y)))
    match shot.defect:
        case "cut":
            return defects.crack(
                s, shot, middle, length=(60, 180), width=3.4, depth=9, colour=(0.012, 0.012, 0.013)
            )
        case "hole":
            return defects.hole(
                s, shot, middle, radius=(10, 24), depth=10, colour=(0.075, 0.06, 0.042), ragged=0.4, lip=2
            )
        case "stain":
            return defects.stain(
                s, shot, middle, radius=(22, 56), colour=(0.5, 0.3, 0.22), strength=(0.35, 0.85), ring=0.1
            )
        case "thread":
            return defects.fibre(
                s, shot, middle, length=(70, 220), width=2.3, colour=(0.42, 0.38, 0.28), lift=4
            )
        case _:
            return defects.crumb(
                s, shot, middle, radius=(6, 13), colour=(0.6, 0.58, 0.55), metal=1.0, rough=0.25, rise=0.5
            )
