"""Two small made-up products, quick to learn and easy to tell apart."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

SIZE = 96


def draw(product: str, seed: int, *, flawed: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """RGB image (96, 96, 3) uint8 of ``stripes`` or ``dots`` and its mask (96, 96) bool."""
    rng = np.random.default_rng([seed, len(product)])
    y, x = np.mgrid[:SIZE, :SIZE]
    shift = rng.uniform(0, 6)
    if product == "stripes":
        base = 120 + 60 * np.sin((x + shift) / 4.0)
        tint = np.array([1.0, 0.9, 0.6])
    else:
        base = 90 + 110 * ((np.hypot((x + shift) % 24 - 12, y % 24 - 12)) < 6)
        tint = np.array([0.5, 0.8, 1.0])
    image = base[..., None] * tint + rng.normal(0, 4, (SIZE, SIZE, 3))
    mask = np.zeros((SIZE, SIZE), bool)
    if flawed:
        row, col = rng.integers(20, 60, 2)
        mask[row : row + 14, col : col + 14] = True
        image[mask] = [230, 30, 40]
    return np.clip(image, 0, 255).astype(np.uint8), mask


def png(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    return buffer.getvalue()


def picture(product: str, seed: int, *, flawed: bool = False) -> bytes:
    """A PNG file of one part."""
    return png(draw(product, seed, flawed=flawed)[0])


def write_product(data_dir: Path, product: str, *, train: int = 12, good: int = 6, flawed: int = 6) -> Path:
    """A category folder in the MVTec AD layout."""
    root = data_dir / product
    for folder in ("train/good", "test/good", "test/stain", "ground_truth/stain"):
        (root / folder).mkdir(parents=True)
    for i in range(train):
        (root / f"train/good/{i:03}.png").write_bytes(picture(product, i))
    for i in range(good):
        (root / f"test/good/{i:03}.png").write_bytes(picture(product, 1000 + i))
    for i in range(flawed):
        image, mask = draw(product, 2000 + i, flawed=True)
        (root / f"test/stain/{i:03}.png").write_bytes(png(image))
        (root / f"ground_truth/stain/{i:03}_mask.png").write_bytes(png(mask.astype(np.uint8) * 255))
    return root
