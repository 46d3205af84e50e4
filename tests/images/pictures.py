"""Pictures and files the tests of this folder are made of."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from anomalyos.core.settings import PROJECT_ROOT

SHARED = PROJECT_ROOT.parent / "shared" / "data"
needs_shared_data = [
    pytest.mark.shared_data,
    pytest.mark.skipif(not SHARED.is_dir(), reason="the real images are not beside the project (../shared)"),
]


def gradient(width: int = 40, height: int = 30, seed: int = 0) -> npt.NDArray[np.uint8]:
    """(height, width, 3) uint8: red grows to the right, green downwards, blue tells the seed."""
    rgb = np.zeros((height, width, 3), dtype=np.uint8)
    rgb[..., 0] = np.linspace(0, 255, width, dtype=np.uint8)[None, :]
    rgb[..., 1] = np.linspace(0, 255, height, dtype=np.uint8)[:, None]
    rgb[..., 2] = seed % 256
    return rgb


def encode(pixels: npt.NDArray[Any] | Image.Image, kind: str, mode: str = "", **options: Any) -> bytes:
    """The bytes of an image file; ``mode`` converts first (``"CMYK"``, ``"P"``, ...)."""
    # a copy: Pillow keeps encoder settings on the image it has saved
    image = pixels.copy() if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image = image.convert(mode) if mode else image
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png(seed: int = 0, width: int = 40, height: int = 30) -> bytes:
    return encode(gradient(width, height, seed), "PNG")


def mask_png(width: int = 40, height: int = 30, *, value: int = 255) -> bytes:
    """A mask whose upper left quarter is marked with ``value``."""
    mask = np.zeros((height, width), dtype=np.uint8)
    mask[: height // 2, : width // 2] = value
    return encode(mask, "PNG")


def exif(orientation: int) -> Image.Exif:
    block = Image.Exif()
    block[0x0112] = orientation
    return block


def chunk(kind: bytes, body: bytes) -> bytes:
    """One PNG chunk with its length and CRC."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def insert_chunk(data: bytes, extra: bytes) -> bytes:
    """A PNG with ``extra`` right after its header chunk."""
    return data[:33] + extra + data[33:]


def bare_png(width: int, height: int, pixels: bytes = b"") -> bytes:
    """A PNG of 8-bit grey that claims any size."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")


def write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def write_category(root: Path, *, train: int = 3, test_good: int = 2, defective: int = 2) -> Path:
    """A small sound category with one defect type, every picture different."""
    for index in range(train):
        write(root / "train" / "good" / f"t{index}.png", png(index))
    for index in range(test_good):
        write(root / "test" / "good" / f"g{index}.png", png(100 + index))
    for index in range(defective):
        write(root / "test" / "crack" / f"c{index}.png", png(200 + index))
        write(root / "ground_truth" / "crack" / f"c{index}_mask.png", mask_png())
    return root
