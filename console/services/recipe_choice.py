"""Why a version has its recipe: compared with others on drawn defects, taken untried, or named."""

from __future__ import annotations

from dataclasses import dataclass

from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.settings import Settings
from anomalyos.models.tables import ModelVersion
from anomalyos.patchcore.tuning import ERRORS, Candidate
from anomalyos.products.category_settings import read_categories_file


@dataclass(frozen=True)
class Compared(Candidate):
    """One candidate as the comparison left it."""

    chosen: bool

    @property
    def best(self) -> bool:
        return self.behind == 0

    @property
    def reach(self) -> tuple[float, float]:
        """From and to where it may lie, as the choice counts noise."""
        width = ERRORS * self.error
        return max(0.0, self.auroc - width), min(1.0, self.auroc + width)


@dataclass(frozen=True)
class RecipeChoice:
    """What a version's recipe rests on."""

    reason: str
    """One sentence."""
    compared: list[Compared]
    """The preferred first; empty where nothing was compared."""
    pictures: int = 0
    """Normal images the comparison was made on."""
    parts: int = 0
    """Parts or lots these are of."""

    @property
    def kinds(self) -> list[str]:
        """Kinds of drawn defects, by name."""
        return sorted({kind for row in self.compared for kind in row.kinds})

    @property
    def best(self) -> float:
        """AUROC of the best candidate."""
        return max(row.auroc for row in self.compared)


def recipe_choice(version: ModelVersion, product: str, settings: Settings) -> RecipeChoice:
    """From what the version's rebuild kept; of one without, where its recipe is named today."""
    tuning = version.metrics.get("tuning")
    if tuning is None:
        return RecipeChoice(_named(version.recipe, product, settings), [])
    rows = [Compared(**row, chosen=row["recipe"] == tuning["chosen"]) for row in tuning["candidates"]]
    return RecipeChoice(tuning["reason"], rows, tuning["pictures"], len(tuning["groups"]))


def _named(recipe: str, product: str, settings: Settings) -> str:
    try:
        own = read_categories_file(settings.include_dir / "categories.yaml").get(product) or {}
    except AnomalyOSError:
        # a file somebody is in the middle of correcting says nothing; whoever rebuilds is told
        own = {}
    if own.get("recipe") == recipe:
        return f"{recipe} is named for this product in include/categories.yaml, so nothing was compared."
    if settings.recipe == recipe:
        return f"{recipe} is named for all products by ANOMALYOS_RECIPE, so nothing was compared."
    return f"{recipe} was named when this version was built, so nothing was compared."
