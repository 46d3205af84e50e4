"""The text embedder of this process."""

from __future__ import annotations

import threading

from anomalyos.core.runtime import RuntimeSettings
from anomalyos.features.embedders.base import TextEmbedder
from anomalyos.features.embedders.minilm import MiniLmEmbedder

_loaded: dict[str, TextEmbedder] = {}
_loading = threading.Lock()


def get_text_embedder(settings: RuntimeSettings) -> TextEmbedder:
    """MiniLM, loaded once per process and device: sentences are searched by it whatever finds pictures.

    Raises:
        WeightsMissing: its package is absent, or holds other files than the pinned ones.
    """
    key = settings.device
    with _loading:
        if key not in _loaded:
            _loaded[key] = MiniLmEmbedder(settings)
        return _loaded[key]
