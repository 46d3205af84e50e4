"""The loaded champions of one process: the pointer is read on every use, the bundle once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping

from sqlmodel import col, select

from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.features.patches import PatchExtractor
from anomalyos.features.recipes import Recipe
from anomalyos.models.prototypes import ChampionRouter, Prototypes
from anomalyos.models.tables import Category, ModelVersion
from anomalyos.patchcore.bundle import Bundle, check_weights, load_bundle

BUNDLES_KEPT = 64
"""A bundle of the default recipe takes about 1.5 MB; a hundred categories still fit a laptop."""


class Champions:
    """Loads bundles and backbones on demand and keeps the recently used ones.

    Safe to share between threads, but for what is computed with what it hands out.
    """

    def __init__(self, settings: Settings, store: Store) -> None:
        self.settings = settings
        self.store = store
        self._prototypes = Prototypes(settings.bundles_dir)
        self._bundles: OrderedDict[str, Bundle] = OrderedDict()
        self._extractors: dict[tuple[object, ...], PatchExtractor] = {}
        self._lock = threading.Lock()

    def pointers(self) -> dict[str, ModelVersion]:
        """Champion of every category that has one, read from the database now."""
        query = select(Category.name, ModelVersion).join(
            ModelVersion, col(Category.champion_id) == col(ModelVersion.id)
        )
        with self.store.session(read_only=True) as session:
            return dict(session.exec(query).all())

    def router(self, pointers: Mapping[str, ModelVersion]) -> ChampionRouter:
        """What routes an image to one of these champions; their bundles are not loaded for it.

        Raises:
            BundleError: when not a single prototype can be read.
        """
        with self._lock:
            return self._prototypes.router(pointers)

    def load(self, version: ModelVersion) -> Bundle:
        """The verified bundle of a version.

        Raises:
            BundleError: when it is damaged, or made with weights other than those installed.
        """
        with self._lock:
            if version.bundle_sha256 in self._bundles:
                self._bundles.move_to_end(version.bundle_sha256)
                return self._bundles[version.bundle_sha256]
            bundle = load_bundle(self.settings.bundles_dir / version.bundle_path, version.bundle_sha256)
            check_weights(bundle, self.settings)
            self._bundles[version.bundle_sha256] = bundle
            while len(self._bundles) > BUNDLES_KEPT:
                self._bundles.popitem(last=False)
            return bundle

    def extractor(self, recipe: Recipe, lane: int = 0) -> PatchExtractor:
        """The patch extractor of a recipe, its backbone loaded once per process and lane.

        One extractor computes for one thread at a time; who computes on several has a lane for each.
        """
        key = (*recipe.feature_key(), lane)
        with self._lock:
            if key not in self._extractors:
                self._extractors[key] = PatchExtractor(recipe, self.settings)
            return self._extractors[key]
