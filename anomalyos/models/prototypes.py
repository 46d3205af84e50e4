"""The router of the present champions, made of their prototypes alone.

No bundle is loaded for it, so a process that inspects one product loads that product's, and a bundle that is
damaged stops its own product's images and nobody else's.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from anomalyos.core.arrays import Float32Array
from anomalyos.core.errors import BundleError
from anomalyos.models.tables import ModelVersion
from anomalyos.patchcore.bundle import load_prototype
from anomalyos.patchcore.router import CategoryRouter, Prototype, Route

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ChampionRouter:
    """Routes to the champions whose prototype could be read."""

    router: CategoryRouter
    damaged: Mapping[str, BundleError]
    """Why the others' could not."""

    def route(self, embedding: Float32Array, given: str | None = None) -> Route:
        """Route one unit-length whole-image embedding (C,).

        Args:
            given: the product, when the caller knows.

        Raises:
            BundleError: when the image resembles none of the products, nobody named its product, and
                another product's prototype is damaged: it may be of that one, and "unknown" would be kept.
        """
        found = self.router.route(embedding)
        if found.category is None and given is None and self.damaged:
            raise next(iter(self.damaged.values()))
        return found


class Prototypes:
    """Reads each champion's prototype once and keeps the router of the present ones."""

    def __init__(self, bundles_dir: Path) -> None:
        self.bundles_dir = bundles_dir
        self._read: dict[str, Prototype] = {}
        self._made: tuple[dict[str, str], ChampionRouter] | None = None

    def router(self, pointers: Mapping[str, ModelVersion]) -> ChampionRouter:
        """The router of these champions, by category; one that was damaged is looked at again.

        Raises:
            BundleError: when not a single prototype can be read.
        """
        wanted = {name: version.bundle_sha256 for name, version in pointers.items()}
        if self._made is None or self._made[0] != wanted or self._made[1].damaged:
            self._made = (wanted, self._make(pointers))
        return self._made[1]

    def _make(self, pointers: Mapping[str, ModelVersion]) -> ChampionRouter:
        found: dict[str, Prototype] = {}
        damaged: dict[str, BundleError] = {}
        for name, version in pointers.items():
            try:
                found[name] = self._prototype(version)
            except BundleError as error:
                if self._made is None or name not in self._made[1].damaged:
                    log.warning("nothing is routed to %s: %s", name, error)
                damaged[name] = error
        if damaged and not found:
            raise next(iter(damaged.values()))
        present = {version.bundle_sha256 for version in pointers.values()}
        self._read = {sha256: prototype for sha256, prototype in self._read.items() if sha256 in present}
        return ChampionRouter(CategoryRouter(found), damaged)

    def _prototype(self, version: ModelVersion) -> Prototype:
        sha256 = version.bundle_sha256
        if sha256 not in self._read:
            self._read[sha256] = load_prototype(self.bundles_dir / version.bundle_path, sha256)
        return self._read[sha256]
