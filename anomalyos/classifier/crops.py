"""What of a photograph a classifier looks at: a square of fixed size around the defect's middle.

A crop that followed the defect's extent would show a defect larger than it was learned: known ones are
measured by their mask, new ones by the model's map, whose regions are wider. ``cases.appearance`` looks
at fixed squares for the same reason.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from anomalyos.cases.crops import cut, square, whole
from anomalyos.classifier.dataset import DefectSet
from anomalyos.classifier.network import resized
from anomalyos.core.geometry import Box
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.images.decoding import decode_image

SHARE = 0.5
"""Side of the square, as a share of the photograph's shorter side."""
SCALES = (0.8, 1.25)
SHIFT = 0.25
"""While learning, the square is so many times as large, and moved by up to this share of its side: the
middle of a region is seldom that of a mask."""
Picture = NDArray[np.uint8]


def place_box(focus: tuple[int, int] | None, width: int, height: int) -> Box:
    """The square around ``focus`` (x, y) in a photograph of this size; all of it where there is none."""
    return whole(width, height) if focus is None else square(focus, SHARE, width, height)


def crop_at(rgb: Picture, focus: tuple[int, int] | None) -> Picture:
    """The part of a photograph (H, W, 3) that a classifier is shown."""
    return cut(rgb, place_box(focus, rgb.shape[1], rgb.shape[0]))


def crop_near(rgb: Picture, focus: tuple[int, int] | None, rng: np.random.Generator) -> Picture:
    """The same a little aside, a little nearer or farther."""
    height, width = rgb.shape[:2]
    if focus is None:
        return rgb
    share = SHARE * float(np.exp(rng.uniform(*np.log(SCALES))))
    aside = rng.uniform(-SHIFT, SHIFT, 2) * share * min(width, height)
    x, y = np.clip(np.add(focus, aside), 0, (width - 1, height - 1)).astype(int)
    return cut(rgb, square((int(x), int(y)), share, width, height))


def turn(picture: Picture, view: int) -> Picture:
    """One of the eight symmetries of the square of (S, S, 3): the half turn and the mirrors come before the
    quarter turns. A defect keeps its name under all of them."""
    turned = (picture, picture[::-1, ::-1], picture[:, ::-1], picture[::-1])
    return turned[view] if view < 4 else turned[view - 4].swapaxes(0, 1)


def pictures_of(
    data: DefectSet, size: int, views: int, settings: Settings, store: Store, seed: int = 0
) -> Callable[[int], list[Picture]]:
    """Gives the views of one example, each (size, size, 3): first as it will be looked at, then turned and a
    little aside. The same example and seed give the same views.

    Raises (when called):
        NotFound, DamagedObject: the photograph is gone, or is not what was stored.
    """

    def pictures(place: int) -> list[Picture]:
        example = data.examples[place]
        rng = np.random.default_rng([seed, int(example.key[:15], 16)])
        rgb = decode_image(store.objects.read(example.image_path), settings).rgb
        others = (crop_near(rgb, example.focus, rng) for _ in range(1, views))
        turned = [turn(resized(other, size), view) for view, other in enumerate(others, start=1)]
        return [resized(crop_at(rgb, example.focus), size), *turned]

    return pictures
