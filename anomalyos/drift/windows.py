"""The two windows of a champion as one table of figures each."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.progress import Progress
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.drift import records as drift_records
from anomalyos.drift.records import DriftRecord
from anomalyos.drift.rules import Windows as WindowRule
from anomalyos.drift.tables import ImageEmbedding
from anomalyos.features.recipes import get_recipe
from anomalyos.images.decoding import DecodedImage, decode_image
from anomalyos.models.champions import Champions
from anomalyos.patchcore.router import ROUTER_RECIPE
from anomalyos.quality import image_figures, picture_figures
from anomalyos.quality.measuring import figures_of
from anomalyos.quality.tables import ImageFigures

log = logging.getLogger(__name__)
NOWHERE = "unknown"
"""Where an image goes that the router knows for no product."""
_AT_ONCE = 32


@dataclass(frozen=True)
class Observation:
    """Everything drift is measured on, of one record."""

    score: float
    category: str
    brightness: float
    sharpness: float
    embedding: NDArray[np.float32]
    """(C,) unit length"""


@dataclass(frozen=True)
class Windows:
    reference: list[DriftRecord]
    current: list[DriftRecord]

    def injected(self) -> int:
        return sum(record.injected is not None for record in (*self.reference, *self.current))

    def too_few(self, rule: WindowRule) -> str:
        """Why they cannot be compared; empty when they can."""
        needed = rule.reference + rule.least
        have = len(self.reference) + len(self.current)
        if have >= needed:
            return ""
        return f"The model in use has {have} records so far; {needed} are needed."


def load_windows(store: Store, version_id: int, rule: WindowRule) -> Windows:
    """A champion's first records, and its latest that are none of those."""
    with store.session(read_only=True) as session:
        reference = drift_records.first_records(session, version_id, rule.reference)
        latest = drift_records.latest_records(session, version_id, rule.current)
    known = {record.key for record in reference}
    return Windows(reference, [record for record in latest if record.key not in known])


def observe(
    records: Sequence[DriftRecord],
    settings: Settings,
    store: Store,
    champions: Champions,
    progress: Progress | None = None,
) -> list[Observation]:
    """Figures of each record, in order. Photographs are decoded once in the life of an installation.

    A record whose photograph is gone (retention, a damaged disk) and was never measured is left out.
    """
    observed: list[Observation] = []
    for start in range(0, len(records), _AT_ONCE):
        observed += _observe_some(records[start : start + _AT_ONCE], settings, store, champions)
        if progress is not None:
            progress(min(start + _AT_ONCE, len(records)), len(records))
    if len(observed) < len(records):
        log.warning("%d records are left out: their photographs are gone", len(records) - len(observed))
    return observed


def embed(rgb: NDArray[np.uint8], champions: Champions) -> NDArray[np.float32]:
    """Whole-image embedding (C,) float32 of unit length, the one images are routed by."""
    _, whole = champions.extractor(get_recipe(ROUTER_RECIPE)).extract([rgb])
    vector: NDArray[np.float32] = whole[0].cpu().numpy().astype(np.float32)
    return vector


def embedding_key() -> str:
    """What an embedding is made of; vectors of another key are never compared."""
    return get_recipe(ROUTER_RECIPE).digest()


def _observe_some(
    records: Sequence[DriftRecord], settings: Settings, store: Store, champions: Champions
) -> list[Observation]:
    recipe = embedding_key()
    hashes = [record.sha256 for record in records if record.sha256]
    with store.session(read_only=True) as session:
        figures = image_figures.find_many(session, hashes, picture_figures.VERSION)
        vectors = drift_records.find_embeddings(session, hashes, recipe)
    paths = {record.sha256: record.object_path for record in records if record.sha256}
    new_figures, new_vectors = [], []
    for sha256 in sorted(set(hashes) - (figures.keys() & vectors.keys())):
        image = _photograph(paths[sha256], settings, store)
        if image is None:
            continue
        if sha256 not in figures:
            new_figures.append(figures_of(image))
        if sha256 not in vectors:
            vector = embed(image.rgb, champions).astype("<f4").tobytes()
            new_vectors.append(ImageEmbedding(sha256=sha256, recipe=recipe, vector=vector))
    figures |= {row.sha256: row.model_copy() for row in new_figures}
    vectors |= {row.sha256: row.vector for row in new_vectors}
    if new_figures or new_vectors:
        with store.session() as session:
            image_figures.keep(session, new_figures)
            drift_records.keep_embeddings(session, new_vectors)
    rows = (_observation(record, figures, vectors, recipe) for record in records)
    return [row for row in rows if row is not None]


def _photograph(object_path: str, settings: Settings, store: Store) -> DecodedImage | None:
    try:
        return decode_image(store.objects.read(object_path), settings)
    except (AnomalyOSError, OSError):
        return None


def _observation(
    record: DriftRecord, figures: dict[str, ImageFigures], vectors: dict[str, bytes], recipe: str
) -> Observation | None:
    category = record.routed_category or NOWHERE
    made = record.injected
    if made is not None:
        if made.recipe != recipe:
            return None
        return Observation(record.score, category, made.brightness, made.sharpness, _vector(made.vector))
    known, vector = figures.get(record.sha256), vectors.get(record.sha256)
    if known is None or vector is None or known.brightness is None or known.sharpness is None:
        return None
    return Observation(record.score, category, known.brightness, known.sharpness, _vector(vector))


def _vector(data: bytes) -> NDArray[np.float32]:
    return np.frombuffer(data, dtype="<f4").astype(np.float32)
