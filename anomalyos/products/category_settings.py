"""What a category sets for itself, from ``include/categories.yaml``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.settings import Settings
from anomalyos.features.recipes import Recipe, get_recipe


class CategorySettings(BaseModel):
    """Recipe and promise of one category, defaults filled in."""

    model_config = ConfigDict(frozen=True)

    recipe: str
    alpha: float = Field(gt=0, lt=1)
    changes: dict[str, Any] = Field(default_factory=dict)
    """Fields of the recipe this category sets differently."""

    def build_recipe(self) -> Recipe:
        """The recipe with the category's changes.

        Raises:
            AnomalyOSError: naming the field that is unknown or out of range.
        """
        try:
            return get_recipe(self.recipe, **self.changes)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"])
            raise AnomalyOSError(
                f"The category setting '{field}' is not valid: {first['msg']}.",
                "Correct include/categories.yaml.",
            ) from error


def category_settings(name: str, settings: Settings) -> CategorySettings:
    """Settings of the category ``name``, which need not be in the file.

    Raises:
        AnomalyOSError: when the file is not valid YAML, not of the expected form, or a value is off.
    """
    own = dict(read_categories_file(settings.include_dir / "categories.yaml").get(name) or {})
    try:
        return CategorySettings(
            recipe=own.pop("recipe", settings.recipe), alpha=own.pop("alpha", settings.alpha), changes=own
        )
    except ValidationError as error:
        raise AnomalyOSError(
            f"The settings of category '{name}' are not valid: {error.errors()[0]['msg']}.",
            "Correct include/categories.yaml.",
        ) from error


def read_categories_file(path: Path) -> dict[str, Any]:
    """The ``categories`` mapping of the file; empty when there is no file."""
    import yaml

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        return {}
    except (OSError, yaml.YAMLError) as error:
        raise AnomalyOSError(f"{path.name} cannot be read: {error}", "Correct the file.") from error
    categories = document.get("categories") if isinstance(document, dict) else None
    if not isinstance(categories, dict):
        raise AnomalyOSError(f"{path.name} needs a mapping named 'categories'.", "Correct the file.")
    return categories
