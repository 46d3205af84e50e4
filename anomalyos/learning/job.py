"""What one rebuild of one category works on: each thing is looked up once and handed from step to step."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anomalyos.core.files.hashing import file_sha256
from anomalyos.core.progress import Progress, StepProgress
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.db.rows import stored_id
from anomalyos.features.patches import PatchExtractor
from anomalyos.features.recipes import RECIPES, Recipe
from anomalyos.features.weights import weights_identity
from anomalyos.images.decoding import ImageRejected, read_image
from anomalyos.inspection.reviewed_normals import reviewed_normals
from anomalyos.learning.options import RebuildOptions
from anomalyos.learning.reviewed import reviewed_samples
from anomalyos.models import categories
from anomalyos.models import versions as model_versions
from anomalyos.models.tables import ModelVersion
from anomalyos.patchcore.bundle import ALGORITHM, FORMAT
from anomalyos.patchcore.folds import FOLDS_FEW, FOLDS_MANY, MANY_IMAGES
from anomalyos.patchcore.tuning import AUTO, Tuning, candidate_recipes, tune
from anomalyos.products.category_settings import CategorySettings, category_settings
from anomalyos.products.dataset import CategoryData, load_category
from anomalyos.quality.data_check import check_category, require_learnable


@dataclass(frozen=True)
class LearningJob:
    """One category on its way to a judged version."""

    category: str
    settings: Settings
    store: Store
    options: RebuildOptions
    run_id: str = ""
    actor: str = "cli"
    progress: StepProgress | None = None
    """Told of the steps check, tune, learn, calibrate, coreset and evaluate."""

    @cached_property
    def own(self) -> CategorySettings:
        """The category's settings under the options."""
        return self.options.applied(category_settings(self.category, self.settings))

    @cached_property
    def recipe(self) -> Recipe:
        """What the category or the options name; ``auto`` keeps what was chosen for the champion, and chooses
        where there is none yet or the options ask for it."""
        own = self.own
        if own.recipe != AUTO:
            return own.build_recipe()
        known = self.champion.recipe if self.champion is not None else ""
        if self.options.recipe == AUTO or known not in RECIPES:
            known = self.tuning.chosen
        return own.model_copy(update={"recipe": known}).build_recipe()

    @cached_property
    def champion(self) -> ModelVersion | None:
        with self.store.session(read_only=True) as session:
            return model_versions.champion(session, self.category)

    @cached_property
    def tuning(self) -> Tuning:
        """The recipe chosen for this category's normal images, and why."""
        samples = self.data.train

        def read(number: int) -> NDArray[np.uint8] | None:
            try:
                return read_image(samples[number].path, self.settings).rgb
            except ImageRejected:
                return None  # learning records it with its reason

        return tune(
            read,
            [sample.group for sample in samples],
            self.settings,
            candidate_recipes(**self.own.changes),
            progress=self.step("tune"),
        )

    def tuned(self) -> dict[str, Any] | None:
        """What the recipe was chosen by, now or for the champion with the same; None when it was named."""
        if self.own.recipe != AUTO:
            return None
        if "tuning" in self.__dict__:
            return self.tuning.to_json()
        found: dict[str, Any] | None = self.champion.metrics.get("tuning") if self.champion else None
        return found

    @cached_property
    def extractor(self) -> PatchExtractor:
        return PatchExtractor(self.recipe, self.settings)

    @cached_property
    def weights(self) -> str:
        return weights_identity(self.recipe.weights, self.settings)

    @cached_property
    def checked(self) -> CategoryData:
        """The category less what its data check sets aside.

        Raises:
            NotFound: for an unknown category.
            DataStopped: when its suite says that nothing may be learned from its images.
        """
        data = load_category(self.settings, self.category)
        check = check_category(
            self.category, self.settings, self.store, data=data, progress=self.step("check")
        )
        require_learnable(check)
        return data.without(check.left_out())

    @cached_property
    def category_id(self) -> int:
        with self.store.session() as session:
            row = categories.ensure(session, self.category, synthetic=self.checked.synthetic)
        return stored_id(row.id)

    @cached_property
    def data(self) -> CategoryData:
        """What is learned from and measured on: reviewed normals too, where they are wanted."""
        if not self.options.use_reviewed:
            return self.checked
        with self.store.session(read_only=True) as session:
            normals = reviewed_normals(session, self.category_id)
        return self.checked.with_reviewed(reviewed_samples(self.checked, normals, self.settings))

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
        salt = (self.run_id or str(time.time_ns())) if self.options.force else ""
        parts: dict[str, Any] = {
            "recipe": self.recipe.digest(),
            "weights": self.weights,
            "alpha": self.own.alpha,
            "data": self.data_hash,
            "format": FORMAT,
            "folds": [FOLDS_FEW, FOLDS_MANY, MANY_IMAGES],
            "salt": salt,
        }
        if ALGORITHM > 1:
            parts["algorithm"] = ALGORITHM
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def set_aside(self) -> list[dict[str, str]]:
        """Training images the data check left out: ``file``, ``code`` and ``reason``."""
        left_out = sorted(self.data.left_out.items())
        return [{"file": file.rsplit("/", 1)[-1], **why} for file, why in left_out]

    def step(self, name: str) -> Progress | None:
        """Progress of one step, that may be nobody's."""
        return None if self.progress is None else partial(self.progress, name)
