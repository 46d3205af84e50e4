"""Whole pictures, crops and sentences as vectors."""

from __future__ import annotations

import threading

from anomalyos.core.runtime import RuntimeSettings
from anomalyos.features.embedders.base import ImageEmbedder
from anomalyos.features.embedders.clip import ClipEmbedder
from anomalyos.features.embedders.lite import LiteEmbedder

_loaded: dict[tuple[object, ...], ImageEmbedder] = {}
_loading = threading.Lock()


def get_image_embedder(settings: RuntimeSettings) -> ImageEmbedder:
    """The embedder that ``settings.embedder`` names, loaded once per process.

    Raises:
        WeightsMissing: its weights are not at hand, or do not fit.
    """
    key = (settings.embedder, settings.device, settings.weights_dir, settings.allow_hub)
    with _loading:
        if key not in _loaded:
            _loaded[key] = _load(settings)
        return _loaded[key]


def _load(settings: RuntimeSettings) -> ImageEmbedder:
    if settings.embedder == "open_clip":
        return ClipEmbedder(settings)

    return LiteEmbedder(settings)
