"""Defects drawn into pictures of normal parts, to compare recipes where nobody has seen a defect.

They need not look like the product's own defects. They have to be of many kinds, sizes and contrasts, so
that the order in which they put recipes is the order real defects would (see docs/measurements.md for how far
that holds). Cutting and pasting is after Li et al. 2021 (CutPaste), noise-shaped texture after Zavrtanik et
al. 2021 (DRAEM).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anomalyos.core.arrays import Float32Array

Rgb = NDArray[np.uint8]

SMALLEST, LARGEST = 0.03, 0.25
"""Side of a defect as a share of the picture's shorter side, drawn evenly on a logarithmic scale."""
WEAKEST, STRONGEST = 1.5, 8.0
"""Contrast of a drawn defect in units of the picture's own local spread, drawn the same way."""
LEAST_CONTRAST = 6.0
"""Grey levels that a defect differs by at least, however smooth the part."""
LEAST_CHANGE = 3.0
"""Grey levels a picture must have changed by inside the mask, in the mean: less is no defect."""
TRIES = 8


@dataclass(frozen=True)
class Synthetic:
    """One normal picture with a defect drawn into it."""

    rgb: Rgb
    """(H, W, 3)"""
    mask: NDArray[np.bool_]
    """(H, W) where it was changed."""
    kind: str


def add_defect(rgb: Rgb, other: Rgb, rng: np.random.Generator, kind: str | None = None) -> Synthetic:
    """A defect of one kind of :data:`KINDS` somewhere in ``rgb``.

    Args:
        rgb: (H, W, 3) uint8 picture of a normal part.
        other: another normal picture of any size, which pasted pieces are cut from.
        kind: drawn evenly when None.
    """
    chosen = kind or str(rng.choice(list(KINDS)))
    image = rgb.astype(np.float32)
    best: Synthetic | None = None
    most = -1.0
    for _ in range(TRIES):
        soft, changed = KINDS[chosen](image, other.astype(np.float32), rng)
        result = np.clip(image + soft[..., None] * (changed - image), 0, 255).round().astype(np.uint8)
        mask = soft > 0.3
        change = float(np.abs(result.astype(np.float32) - image)[mask].mean()) if mask.any() else 0.0
        if change > most:
            best, most = Synthetic(result, mask, chosen), change
        if most >= LEAST_CHANGE:
            break
    assert best is not None
    return best


def contrast_unit(image: Float32Array) -> float:
    """Local spread of a picture in grey levels: median standard deviation over blocks of 1/16 its side."""
    grey = image.mean(axis=2)
    side = max(4, min(grey.shape) // 16)
    rows, cols = grey.shape[0] // side, grey.shape[1] // side
    blocks = grey[: rows * side, : cols * side].reshape(rows, side, cols, side)
    return float(np.median(blocks.std(axis=(1, 3))))


Drawing = tuple[Float32Array, Float32Array]
"""Opacity (H, W) in [0, 1], and what shines through it (H, W, 3)."""


def paste(image: Float32Array, other: Float32Array, rng: np.random.Generator) -> Drawing:
    """A rectangle out of another picture, turned by a quarter at times and changed in brightness."""
    size = _side(image, rng)
    tall, wide = _aspect(size, rng, image.shape)
    tall, wide = min(tall, other.shape[0]), min(wide, other.shape[1])
    y, x = rng.integers(other.shape[0] - tall + 1), rng.integers(other.shape[1] - wide + 1)
    piece = other[y : y + tall, x : x + wide] * rng.uniform(0.85, 1.15)
    if rng.random() < 0.5:
        piece = piece[::-1, ::-1]
    top, left = _place(image, (tall, wide), rng)
    changed, soft = image.copy(), np.zeros(image.shape[:2], np.float32)
    changed[top : top + tall, left : left + wide] = piece
    soft[top : top + tall, left : left + wide] = 1
    return _feathered(soft, 0.004 * min(soft.shape)), changed


def shift(image: Float32Array, other: Float32Array, rng: np.random.Generator) -> Drawing:
    """What belongs at a place stands a little beside it: a bent, moved or doubled part."""
    size = _side(image, rng)
    soft = _noise_shape(image, size, rng)
    far = max(2.0, size * rng.uniform(0.2, 0.8))
    angle = rng.uniform(0, 2 * np.pi)
    moved = np.roll(image, (round(far * np.sin(angle)), round(far * np.cos(angle))), axis=(0, 1))
    return soft, np.asarray(moved, dtype=np.float32)


def missing(image: Float32Array, other: Float32Array, rng: np.random.Generator) -> Drawing:
    """A piece filled with the colour around it."""
    size = _side(image, rng)
    soft = _noise_shape(image, size, rng)
    return soft, _blurred(image, size)


def texture(image: Float32Array, other: Float32Array, rng: np.random.Generator) -> Drawing:
    """A noise-shaped stain of foreign texture: the other picture turned, stretched and tinted."""
    soft = _noise_shape(image, _side(image, rng), rng)
    foreign = _fitted(np.rot90(other, int(rng.integers(4))), image.shape, rng)
    tint = rng.normal(0, _contrast(image, rng), 3).astype(np.float32)
    share = rng.uniform(0.3, 0.9)
    return soft, image + share * (foreign + tint - image)


def blob(image: Float32Array, other: Float32Array, rng: np.random.Generator) -> Drawing:
    """A spot, lighter or darker, at times coloured."""
    soft = _noise_shape(image, _side(image, rng), rng)
    return soft, image + _offset(image, rng)


def scratch(image: Float32Array, other: Float32Array, rng: np.random.Generator) -> Drawing:
    """A thin bent line, lighter or darker."""
    from scipy.ndimage import distance_transform_edt

    height, width = image.shape[:2]
    shorter = min(height, width)
    length = shorter * rng.uniform(0.08, 0.5)
    thickness = max(1.0, shorter * 10 ** rng.uniform(-2.6, -1.8))
    steps = max(8, int(length))
    bend = np.cumsum(rng.normal(0, 0.6 / np.sqrt(steps), steps))
    angle = rng.uniform(0, 2 * np.pi) + bend
    points = np.cumsum(np.stack([np.sin(angle), np.cos(angle)], 1) * length / steps, axis=0)
    box = points.max(0) - points.min(0)
    top, left = _place(image, (int(box[0]) + 1, int(box[1]) + 1), rng)
    points += np.array([top, left]) - points.min(0)
    line = np.ones((height, width), dtype=bool)
    rows, cols = points.round().astype(int).T
    inside = (rows >= 0) & (rows < height) & (cols >= 0) & (cols < width)
    line[rows[inside], cols[inside]] = False
    near = distance_transform_edt(line)
    soft = np.clip(1 + thickness / 2 - near, 0, 1).astype(np.float32)
    return soft, image + _offset(image, rng)


def blur(image: Float32Array, other: Float32Array, rng: np.random.Generator) -> Drawing:
    """A place out of focus, or rubbed smooth."""
    soft = _noise_shape(image, _side(image, rng), rng)
    return soft, _blurred(image, max(1.5, min(image.shape[:2]) * rng.uniform(0.006, 0.02)))


def brightness(image: Float32Array, other: Float32Array, rng: np.random.Generator) -> Drawing:
    """A larger soft patch that reflects more or less light."""
    size = min(2 * _side(image, rng), 0.4 * min(image.shape[:2]))
    soft = _feathered(_noise_shape(image, size, rng), size / 6)
    gain = 1 + rng.choice([-1, 1]) * rng.uniform(0.1, 0.4)
    return soft, image * np.float32(gain)


KINDS: dict[str, Callable[[Float32Array, Float32Array, np.random.Generator], Drawing]] = {
    "paste": paste,
    "shift": shift,
    "missing": missing,
    "texture": texture,
    "blob": blob,
    "scratch": scratch,
    "blur": blur,
    "brightness": brightness,
}


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def _side(image: Float32Array, rng: np.random.Generator) -> float:
    return float(max(2.0, min(image.shape[:2]) * _log_uniform(rng, SMALLEST, LARGEST)))


def _contrast(image: Float32Array, rng: np.random.Generator) -> float:
    return float(np.clip(contrast_unit(image) * _log_uniform(rng, WEAKEST, STRONGEST), LEAST_CONTRAST, 120))


def _offset(image: Float32Array, rng: np.random.Generator) -> Float32Array:
    """(3,) grey levels up or down; in half of the cases not the same for each colour."""
    step = np.full(3, rng.choice([-1, 1]) * _contrast(image, rng), dtype=np.float32)
    if rng.random() < 0.5 and not _is_grey(image):
        step *= rng.uniform(0.2, 1.2, 3).astype(np.float32)
    return step


def _is_grey(image: Float32Array) -> bool:
    return bool(np.abs(image[..., 0] - image[..., 2]).max() < 4)


def _aspect(size: float, rng: np.random.Generator, shape: tuple[int, ...]) -> tuple[int, int]:
    """Height and width of a rectangle with the area of a square of ``size``, up to four times as long."""
    ratio = 2 ** rng.uniform(-1, 1)
    tall, wide = int(max(2, size * ratio)), int(max(2, size / ratio))
    return min(tall, shape[0]), min(wide, shape[1])


def _place(image: Float32Array, size: tuple[int, int], rng: np.random.Generator) -> tuple[int, int]:
    """Top left corner of a box: half of the time anywhere, otherwise where something is to be seen.

    Defects on an empty background say nothing about the part.
    """
    tall, wide = min(size[0], image.shape[0]), min(size[1], image.shape[1])
    span = (image.shape[0] - tall + 1, image.shape[1] - wide + 1)
    if rng.random() < 0.5:
        return int(rng.integers(span[0])), int(rng.integers(span[1]))
    grey = image.mean(axis=2)
    weight = np.abs(grey - np.median(grey[[0, -1]])) + 1e-3
    cells = weight[:: max(1, weight.shape[0] // 32), :: max(1, weight.shape[1] // 32)]
    drawn = int(rng.choice(cells.size, p=(cells / cells.sum()).ravel()))
    row, col = np.unravel_index(drawn, cells.shape)
    top = int(row * max(1, weight.shape[0] // 32) - tall / 2)
    left = int(col * max(1, weight.shape[1] // 32) - wide / 2)
    return int(np.clip(top, 0, span[0] - 1)), int(np.clip(left, 0, span[1] - 1))


def _noise_shape(image: Float32Array, size: float, rng: np.random.Generator) -> Float32Array:
    """Opacity (H, W) of an irregular patch of about ``size`` pixels a side with soft edges."""
    from scipy.ndimage import zoom

    tall, wide = _aspect(size, rng, image.shape)
    tall, wide = max(3, tall), max(3, wide)
    cells = int(rng.integers(3, 6))
    noise = zoom(rng.normal(0, 1, (cells, cells)), (tall / cells, wide / cells), order=1)[:tall, :wide]
    rows, cols = (np.linspace(-1, 1, length) for length in noise.shape)
    dome = 1.1 - np.hypot(rows[:, None], cols[None])
    shape = np.clip((dome + 0.35 * noise) * 4, 0, 1).astype(np.float32)
    top, left = _place(image, shape.shape, rng)
    soft = np.zeros(image.shape[:2], np.float32)
    part = soft[top : top + shape.shape[0], left : left + shape.shape[1]]
    part[:] = shape[: part.shape[0], : part.shape[1]]
    return _feathered(soft, 0.003 * min(soft.shape))


def _feathered(soft: Float32Array, sigma: float) -> Float32Array:
    from scipy.ndimage import gaussian_filter

    return np.asarray(gaussian_filter(soft, sigma), dtype=np.float32)


def _blurred(image: Float32Array, sigma: float) -> Float32Array:
    from scipy.ndimage import gaussian_filter

    return np.asarray(gaussian_filter(image, (sigma, sigma, 0), truncate=2.5), dtype=np.float32)


def _fitted(other: Float32Array, shape: tuple[int, ...], rng: np.random.Generator) -> Float32Array:
    """A random half to whole of ``other``, resized to the shape of the picture."""
    from PIL import Image

    share = rng.uniform(0.5, 1.0)
    tall, wide = (max(2, int(length * share)) for length in other.shape[:2])
    y, x = rng.integers(other.shape[0] - tall + 1), rng.integers(other.shape[1] - wide + 1)
    piece = Image.fromarray(np.clip(other[y : y + tall, x : x + wide], 0, 255).astype(np.uint8))
    return np.asarray(piece.resize((shape[1], shape[0]), Image.Resampling.BILINEAR), dtype=np.float32)
