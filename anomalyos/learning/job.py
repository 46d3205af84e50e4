"""What one rebuild of one category works on, gathered once and handed from step to step."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from anomalyos.core.files.hashing import file_sha256
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.db.rows import stored_id
from anomalyos.features.patches import PatchExtractor
from anomalyos.features.recipes import Recipe
from anomalyos.features.weights import weights_identity
from anomalyos.inspection.reviewed_normals import reviewed_normals
from anomalyos.learning.options import RebuildOptions
from anomalyos.learning.reviewed import reviewed_samples
from anomalyos.models import categories
from anomalyos.patchcore.bundle import ALGORITHM, FORMAT
from anomalyos.products.category_settings import category_settings
from anomalyos.products.dataset import CategoryData, load_category
from anomalyos.quality.data_check import check_category, require_learnable

FOLDS_FEW, FOLDS_MANY = 10, 5
"""Parts the training images are held out in: ten while they are few and each one is missed."""
MANY_IMAGES = 200

Progress = Callable[[str, int, int], None]
"""Called with (stage, done, in all); stages: check, learn, calibrate, coreset, evaluate."""


@dataclass(frozen=True)
class LearningJob:
    """One category on its way to a judged version."""

    data: CategoryData
    """Less what the data check sets aside, plus reviewed normals where they are wanted."""
    category_id: int
    recipe: Recipe
    alpha: float
    settings: Settings
    store: Store
    options: RebuildOptions
    run_id: str = ""
    actor: str = "cli"
    progress: Progress | None = None
    salt: str = ""
    """Part of the key that makes a forced version another one."""

    @cached_property
    def extractor(self) -> PatchExtractor:
        return PatchExtractor(self.recipe, self.settings)

    @cached_property
    def weights(self) -> str:
        return weights_identity(self.recipe.weights, self.settings)

    @cached_property
    def data_hash(self) -> str:
        return self.data.content_hash()

    @cached_property
    def test_hash(self) -> str:
        """SHA-256 over the test images: two evaluations compare only on the same ones."""
        data = self.data
        lines = [f"{s.path.relative_to(data.root).as_posix()}\0{file_sha256(s.path)}\n" for s in data.test]
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    @cached_property
    def key(self) -> str:
        """SHA-256 over everything a version is made from, the code that computes it included.

        The algorithm's number is left out while it is 1: keys that were made before they held it stay as they
        are, so no product is learned again, and no champion replaced, where only the form of the key changed.
        """
        parts: dict[str, Any] = {
            "data": self.data_hash,
            "recipe": self.recipe.digest(),
            "weights": self.weights,
            "alpha": self.alpha,
            "format": FORMAT,
            "folds": [FOLDS_FEW, FOLDS_MANY, MANY_IMAGES],
            "salt": self.salt,
        }
        if ALGORITHM > 1:
            parts["algorithm"] = ALGORITHM
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def set_aside(self) -> list[dict[str, str]]:
        """Training images the data check left out: ``file``, ``code`` and ``reason``."""
        left_out = sorted(self.data.left_out.items())
        return [{"file": file.rsplit("/", 1)[-1], **why} for file, why in left_out]

    def stage(self, name: str) -> Callable[[int, int], None] | None:
        """Progress of one stage, that may be nobody's."""
        return stage(self.progress, name)


def stage(progress: Progress | None, name: str) -> Callable[[int, int], None] | None:
    if progress is None:
        return None
    return lambda done, total: progress(name, done, total)


def gather(
    category: str,
    settings: Settings,
    store: Store,
    options: RebuildOptions,
    *,
    run_id: str = "",
    actor: str = "cli",
    progress: Progress | None = None,
    salt: str = "",
) -> LearningJob:
    """Look up and check everything a rebuild needs, once.

    Raises:
        NotFound: for an unknown category.
        DataStopped: when the category's suite says that nothing may be learned from its images.
        AnomalyOSError: settings are off.
    """
    own = options.applied(category_settings(category, settings))
    recipe = own.build_recipe()
    data = load_category(settings, category)
    check = check_category(category, settings, store, data=data, progress=stage(progress, "check"))
    require_learnable(check)
    data = data.without(check.left_out())
    with store.session() as session:
        category_id = stored_id(categories.ensure(session, category, synthetic=data.synthetic).id)
        normals = reviewed_normals(session, category_id) if options.use_reviewed else []
    data = data.with_reviewed(reviewed_samples(data, normals, settings))
    return LearningJob(
        data, category_id, recipe, own.alpha, settings, store, options, run_id, actor, progress, salt
    )
