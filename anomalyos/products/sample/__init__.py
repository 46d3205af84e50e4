"""Fifteen rendered products that come with the project, in the MVTec AD layout.

They let a fresh installation learn, inspect and review without any download. Importing this package
costs nothing: the rendering code is loaded by the first picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from anomalyos.products.sample.catalogue import CATALOGUE, SampleCategory, sample_category

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

CATEGORIES: tuple[str, ...] = tuple(category.name for category in CATALOGUE)
DEFECTS: dict[str, tuple[str, ...]] = {category.name: category.defects for category in CATALOGUE}

__all__ = [
    "CATALOGUE",
    "CATEGORIES",
    "DEFECTS",
    "SampleCategory",
    "render",
    "sample_category",
    "write_dataset",
    "write_night",
]


def render(
    category: str, defect: str | None, seed: int, size: int = 256
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """See ``rendering.render``."""
    from anomalyos.products.sample import rendering  # SciPy takes a second

    return rendering.render(category, defect, seed, size)


def write_dataset(
    root: Path,
    *,
    categories: Sequence[str] = CATEGORIES,
    progress: Callable[[int, int], None] | None = None,
    workers: int = 2,
) -> None:
    """See ``writer.write_dataset``."""
    from anomalyos.products.sample import writer

    writer.write_dataset(root, categories=categories, progress=progress, workers=workers)


def write_night(
    inbox: Path,
    day: str,
    *,
    categories: Sequence[str] = CATEGORIES,
    progress: Callable[[int, int], None] | None = None,
    workers: int = 2,
) -> int:
    """See ``night.write_night``."""
    from anomalyos.products.sample import night

    return night.write_night(inbox, day, categories=categories, progress=progress, workers=workers)
