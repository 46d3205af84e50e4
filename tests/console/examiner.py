"""Today's champion for tests of running again: says what it is told."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from anomalyos.db.engine import Store
from anomalyos.models import categories
from anomalyos.models.tables import ModelVersion


class Examiner:
    """Today's champion: scores as it is told, by the version it is told."""

    def __init__(self, store: Store, *, score: float, version: int = 1) -> None:
        self.score = score
        with store.session(read_only=True) as session:
            category = categories.by_name(session, "stripes")
            known = session.get(ModelVersion, category.champion_id)
            assert known is not None
            self.version = known.model_copy(update={"version": version})

    def examine(self, image: Any, category: str | None = None) -> Any:
        calibration = SimpleNamespace(
            threshold=lambda: 2.0,
            effective_alpha=lambda: 0.05,
            p_value=lambda score: 0.02 if score > 2 else 0.4,
            group_count=60,
            map_median=1.0,
            map_threshold=1.8,
        )
        recipe = SimpleNamespace(input_size=224, border=0, smoothing_sigma=6.0)
        distances = np.full((14, 14), 1.0, dtype=np.float32)
        distances[4:7, 4:7] = 3.2
        return SimpleNamespace(
            route=SimpleNamespace(category="stripes", similarity=0.9),
            category=category or "stripes",
            version=self.version,
            bundle=SimpleNamespace(calibration=calibration, recipe=recipe, sha256="b" * 64),
            score=self.score,
            distances=distances,
            regions=(),
        )
