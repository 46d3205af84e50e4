"""What a rebuild and a retraining can be asked: the one description of their forms.

The parameters of the DAGs, the options of ``anomalyos rebuild``, the body of ``POST /api/retrain`` and the
console's form are derived from it (see :mod:`anomalyos.core.forms`).
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from anomalyos.core.forms import Form
from anomalyos.features.recipes import RECIPES
from anomalyos.patchcore.tuning import AUTO
from anomalyos.products.category_settings import CategorySettings


def _registered(name: str) -> str:
    if name not in (AUTO, *RECIPES):
        raise ValueError(name)
    return name


def _choices(schema: dict[str, Any]) -> None:
    schema["enum"] = [AUTO, *RECIPES]


def _reviewed(*, default: bool) -> Any:
    return Field(
        default,
        title="Learn what reviewers called false alarms",
        description="Images that every reviewer called normal are learned from, too.",
    )


RecipeName = Annotated[str, AfterValidator(_registered), Field(json_schema_extra=_choices)]
Share = Annotated[float, Field(ge=0.001, allow_inf_nan=False)]


class RebuildOptions(Form):
    """None leaves a value as it is set for the product."""

    categories: tuple[str, ...] = Field(
        (),
        max_length=1000,
        title="Products",
        description="Empty: all products that have training images.",
    )
    recipe: RecipeName | None = Field(
        None,
        title="Recipe",
        description="How images become features and scores; auto chooses anew, on defects drawn into normal "
        "images. What a product changes of its own recipe does not go with another one.",
    )
    coreset_ratio: Annotated[Share, Field(le=1)] | None = Field(
        None,
        title="Coreset ratio",
        description="Share of patches the memory bank keeps. Empty: as set.",
    )
    alpha: Annotated[Share, Field(le=0.5)] | None = Field(
        None,
        title="Alpha",
        description="Promised share of normal parts that are flagged. Empty: as set.",
    )
    use_reviewed: bool = _reviewed(default=False)
    force: bool = Field(
        False,
        title="Build even when nothing has changed",
        description="A new version although images, recipe and settings are those of an existing one.",
    )
    dry_run: bool = Field(
        False,
        title="Dry run: only say what would be learned",
        description="Nothing is built and nothing is promoted.",
    )

    def applied(self, own: CategorySettings) -> CategorySettings:
        """The category's settings under these options."""
        changes = dict(own.changes) if self.recipe in (None, own.recipe) else {}
        if self.coreset_ratio is not None:
            changes["coreset_ratio"] = self.coreset_ratio
        alpha = own.alpha if self.alpha is None else self.alpha
        return own.model_copy(
            update={"recipe": self.recipe or own.recipe, "alpha": alpha, "changes": changes}
        )


class RetrainingOptions(RebuildOptions):
    """A rebuild that learns from reviews: their false alarms, and on demand the names of defects."""

    use_reviewed: bool = _reviewed(default=True)
    fine_tune: bool = Field(
        False,
        title="Learn names of defects from confirmed ones",
        description="Fine-tunes the classifier that names defects; it is put in use only past its own gate.",
    )
    trials: int = Field(
        10,
        ge=1,
        le=200,
        title="Trials",
        description="Settings of the classifier that are tried; a killed search goes on where it was.",
        json_schema_extra={"needs": "fine_tune"},
    )
