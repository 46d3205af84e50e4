"""Fifteen rendered products that come with the project, in the MVTec AD layout.

They let a fresh installation learn, inspect and review without any download. Importing this package
costs nothing: the rendering code is loaded when it is asked for, SciPy by the first picture.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from anomalyos.products.sample.catalogue import CATALOGUE, SampleCategory, sample_category

if TYPE_CHECKING:
    from anomalyos.products.sample.night import write_night
    from anomalyos.products.sample.rendering import render
    from anomalyos.products.sample.writer import write_dataset

CATEGORIES: tuple[str, ...] = tuple(category.name for category in CATALOGUE)
DEFECTS: dict[str, tuple[str, ...]] = {category.name: category.defects for category in CATALOGUE}
_LOADED_ON_USE = {"render": "rendering", "write_dataset": "writer", "write_night": "night"}

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


def __getattr__(name: str) -> Any:
    if name not in _LOADED_ON_USE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LOADED_ON_USE[name]}"), name)
