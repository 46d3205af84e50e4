"""One past inspection with everything an explanation of it needs, read once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anomalyos.core.arrays import Float32Array
from anomalyos.core.geometry import Box
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.images.decoding import decode_image
from anomalyos.inspection import inspections, reviews
from anomalyos.inspection.anomaly_map import load_map
from anomalyos.inspection.tables import Decision, Image, Inspection, Review
from anomalyos.models.champions import Champions
from anomalyos.models.tables import Category, ModelVersion
from anomalyos.patchcore.bundle import Bundle
from anomalyos.patchcore.calibration import p_value_in_words
from anomalyos.patchcore.regions import find_regions


@dataclass(frozen=True)
class InspectionContext:
    """What is stored about one inspection, and what it is computed from, read when it is needed."""

    settings: Settings
    store: Store
    champions: Champions
    inspection: Inspection
    image: Image | None
    category: str
    """Empty when the image belongs to no known product."""
    synthetic: bool
    version: ModelVersion | None
    """The one that judged it, not today's champion."""
    reviews: tuple[Review, ...]
    """Oldest first."""

    @property
    def bundle(self) -> Bundle:
        """The model that judged it.

        Raises:
            BundleError: when it is damaged or gone.
        """
        assert self.version is not None
        return self.champions.load(self.version)

    @cached_property
    def rgb(self) -> NDArray[np.uint8]:
        """The photograph (H, W, 3), upright.

        Raises:
            NotFound: when its file is gone.
        """
        assert self.image is not None
        return decode_image(self.store.objects.read(self.image.object_path), self.settings).rgb

    @cached_property
    def heat(self) -> Float32Array:
        """Anomaly map (input_size, input_size) float32 as it was stored."""
        return load_map(self.store, self.inspection)

    @cached_property
    def small(self) -> NDArray[np.uint8]:
        """The photograph as the model saw it, (input_size, input_size, 3)."""
        from PIL import Image as Pillow

        side = self.heat.shape[0]
        return np.asarray(Pillow.fromarray(self.rgb).resize((side, side), Pillow.Resampling.BICUBIC))

    @property
    def mask(self) -> NDArray[np.bool_]:
        """Where the anomaly map exceeds what normal images reach, (input_size, input_size); where it
        peaks, when it nowhere does."""
        limit = float(self.inspection.map_facts["threshold"])
        heat = self.heat
        return np.asarray(heat > (limit if heat.max() > limit else 0.95 * heat.max()), dtype=bool)

    @property
    def standing(self) -> Review | None:
        """The review that holds now, None while undecided."""
        if not self.reviews or self.reviews[-1].decision == Decision.WITHDRAWN:
            return None
        return self.reviews[-1]

    def strongest_box(self) -> Box:
        """The most anomalous region in pixels of the photograph; a box around the peak without one."""
        facts, regions = self.inspection.map_facts, self.inspection.regions
        if regions:
            return Box(**{key: int(regions[0][key]) for key in ("x", "y", "width", "height")})

        size = (int(facts["width"]), int(facts["height"]))
        region = find_regions(self.heat, 0.95 * float(self.heat.max()), size)[0]
        return Box(x=region.x, y=region.y, width=region.width, height=region.height)

    def facts(self) -> dict[str, Any]:
        """The stored verdict and what turned the score into it, JSON-able."""
        row = self.inspection
        words = ""
        if row.p_value is not None and row.calibration_groups is not None:
            words = p_value_in_words(row.p_value, row.calibration_groups)
        standing = self.standing
        return {
            "id": row.id,
            "source": row.source,
            "category": self.category,
            "verdict": row.verdict,
            "reject_reason": row.reject_reason,
            "score": row.score,
            "threshold": row.threshold,
            "alpha": row.alpha,
            "p_value": row.p_value,
            "p_value_in_words": words,
            "calibration_groups": row.calibration_groups,
            "model_version": self.version.version if self.version else None,
            "recipe": self.version.recipe if self.version else "",
            "routed_category": row.routed_category,
            "routed_similarity": row.routed_similarity,
            "route_mismatch": row.route_mismatch,
            "decision": row.decision,
            "defect_type": standing.defect_type if standing else "",
            "synthetic": self.synthetic,
            "width": self.image.width if self.image else None,
            "height": self.image.height if self.image else None,
            "created_at": row.created_at.isoformat(),
        }


def load_context(
    inspection_id: int, settings: Settings, store: Store, champions: Champions
) -> InspectionContext:
    """Read one inspection. Raises NotFound when there is none."""
    with store.session(read_only=True) as session:
        row = inspections.get(session, inspection_id)
        image = session.get(Image, row.image_id) if row.image_id is not None else None
        category = session.get(Category, row.category_id) if row.category_id is not None else None
        version = session.get(ModelVersion, row.model_version_id) if row.model_version_id else None
        history = tuple(reviews.history(session, inspection_id))
    return InspectionContext(
        settings=settings,
        store=store,
        champions=champions,
        inspection=row,
        image=image,
        category=category.name if category else "",
        synthetic=bool(category and category.synthetic),
        version=version,
        reviews=history,
    )
