"""Suites and bad pictures for tests."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from anomalyos.core.settings import PROJECT_ROOT, Settings
from tests.support.products import draw, picture, png


def write_suite(settings: Settings, name: str, rules: str) -> Path:
    """``rules`` as the suite of ``name``, in an include folder of the test's own."""
    if settings.include_dir == PROJECT_ROOT / "include":
        settings.include_dir = settings.home / "include"
        folder = settings.include_dir / "expectations"
        folder.mkdir(parents=True)
        shutil.copy(PROJECT_ROOT / "include" / "expectations" / "default.yaml", folder)
    path = settings.include_dir / "expectations" / f"{name}.yaml"
    path.write_text("rules:\n" + "".join(f"  {line}\n" for line in rules.splitlines()))
    return path


def encoded(image: Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def dots(seed: int) -> Image.Image:
    return Image.fromarray(draw("dots", seed)[0])


def brighter(seed: int) -> bytes:
    """Another light over the same part: the perceptual hash hardly moves."""
    return png(np.clip(draw("dots", seed)[0].astype(int) + 6, 0, 255).astype(np.uint8))


VIOLATIONS: dict[str, tuple[bytes, str, str]] = {
    "tiny": (png(draw("dots", 50)[0][:16, :16]), "size", "16 x 16 pixels"),
    "cmyk": (encoded(dots(51).convert("CMYK"), "JPEG"), "mode", "colour model is CMYK"),
    "blurred": (encoded(dots(52).filter(ImageFilter.GaussianBlur(4)), "PNG"), "sharpness", "blurred"),
    "black": (png(np.zeros((96, 96, 3), np.uint8)), "brightness", "almost black"),
    "dazzled": (png(np.clip(draw("dots", 53)[0] // 3 + 160, 0, 255)), "brightness", "deviations"),
    "truncated": (picture("dots", 54)[:4000], "decodable", "incomplete or damaged"),
    "zz_copy": (picture("dots", 0), "duplicates", "the same file as train/good/000.png"),
}
"""Bytes, the rule they violate and a word of the reason, by name of the file."""
