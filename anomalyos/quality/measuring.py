"""Files become rows of a manifest; what was measured of a content once is never decoded again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from anomalyos.core.errors import NotFound
from anomalyos.core.progress import Progress
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.images.decoding import DecodedImage, ImageRejected, decode_image, read_limited
from anomalyos.quality import image_figures, picture_figures
from anomalyos.quality.tables import ImageFigures

DEPENDS_ON_LIMITS = frozenset({"too_large", "too_many_pixels"})
"""Refusals that another setting lifts: they are not kept."""
_AT_ONCE = 64
"""Files read and kept together: a killed check loses no more than that."""


@dataclass(frozen=True)
class ManifestFile:
    """One file to measure. ``name`` is how people find it; ``group`` tells pictures of the same part."""

    path: Path
    name: str
    split: str
    """``train``, ``test`` or ``night``."""
    group: str = ""


@dataclass(frozen=True)
class Measured:
    file: ManifestFile
    sha256: str
    """Of the bytes, empty when they cannot be had."""
    size_bytes: int
    figures: ImageFigures


def measure_files(
    files: Sequence[ManifestFile], settings: Settings, store: Store, progress: Progress | None = None
) -> list[Measured]:
    """Measure every file, in order. A file that is gone or unreadable is a row with the reason."""
    measured: list[Measured] = []
    with ThreadPoolExecutor(settings.threads) as pool:
        for start in range(0, len(files), _AT_ONCE):
            measured += _measure_some(files[start : start + _AT_ONCE], settings, store, pool)
            if progress is not None:
                progress(len(measured), len(files))
    return measured


def _measure_some(
    files: Sequence[ManifestFile], settings: Settings, store: Store, pool: Executor
) -> list[Measured]:
    hashes = list(pool.map(lambda file: _content_hash(file.path, settings), files))
    with store.session(read_only=True) as session:
        known = image_figures.find_many(session, [sha for sha, _ in hashes if sha], picture_figures.VERSION)

    def look(file: ManifestFile, content: tuple[str, int]) -> ImageFigures:
        sha256, size = content
        figures = known.get(sha256)
        if figures is not None and _within_limits(figures, size, settings):
            return figures
        return _figures(file.path, settings)

    seen = list(pool.map(look, files, hashes))
    fresh: dict[str, ImageFigures] = {}
    rows: list[Measured] = []
    for file, (sha256, size), figures in zip(files, hashes, seen, strict=True):
        # what cannot be read has no content to keep anything under; what changes meanwhile has another
        new = figures is not known.get(sha256) and sha256 and figures.sha256 == sha256
        if new and figures.reject_code not in DEPENDS_ON_LIMITS:
            fresh[sha256] = figures
        rows.append(Measured(file, sha256, size, figures))
    if fresh:
        with store.session() as session:
            image_figures.keep(session, [figures.model_copy() for figures in fresh.values()])
    return rows


def _content_hash(path: Path, settings: Settings) -> tuple[str, int]:
    """SHA-256 and length of a file, of which no more is read than may be decoded; empty when it cannot be."""
    try:
        if not path.is_file():
            return "", 0
        with path.open("rb") as file:
            data = file.read(settings.max_image_bytes + 1)
    except OSError:
        return "", 0
    return hashlib.sha256(data).hexdigest(), len(data)


def _figures(path: Path, settings: Settings) -> ImageFigures:
    """Decode and measure; the reason when it cannot be decoded."""
    try:
        data = read_limited(path, settings)
    except ImageRejected as error:
        return _refused("", error.code, error.message)
    except NotFound:  # its message names a path of the server
        return _refused("", "unreadable", "The file is gone.")
    try:
        image = decode_image(data, settings)
    except ImageRejected as error:
        return _refused(hashlib.sha256(data).hexdigest(), error.code, error.message)
    return figures_of(image)


def figures_of(image: DecodedImage) -> ImageFigures:
    """The row to keep of a picture that can be decoded."""
    found = picture_figures.measure(image.rgb)
    return ImageFigures(
        sha256=image.sha256,
        version=picture_figures.VERSION,
        format=image.format,
        mode=image.mode,
        width=image.width,
        height=image.height,
        sharpness=found.sharpness,
        brightness=found.brightness,
        contrast=found.contrast,
        perceptual_hash=found.perceptual_hash,
    )


def _refused(sha256: str, code: str, reason: str) -> ImageFigures:
    return ImageFigures(
        sha256=sha256, version=picture_figures.VERSION, reject_code=code, reject_reason=reason
    )


def _within_limits(figures: ImageFigures, size: int, settings: Settings) -> bool:
    """Whether what was decoded once would still be: the limits may have been lowered since."""
    return size <= settings.max_image_bytes and figures.width * figures.height <= settings.max_image_pixels
