"""Recipes: one name, one hash, no silent typos."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from anomalyos.core.errors import NotFound
from anomalyos.features.recipes import RECIPES, Recipe, get_recipe


def test_the_digest_depends_on_every_field() -> None:
    base = get_recipe("lite")
    changes = {
        "name": "other",
        "backbone": "resnet18",
        "weights": "wide_resnet50_2",
        "layers": (1, 2),
        "input_size": 256,
        "mean": (0.0, 0.0, 0.0),
        "std": (1.0, 1.0, 1.0),
        "neighbourhood": 5,
        "reduced_dims": 16,
        "whitening": 0.25,
        "border": 2,
        "coreset_ratio": 0.33,
        "coreset_max": 77,
        "reweight_neighbours": 3,
        "smoothing_sigma": 1.0,
    }
    assert set(changes) == set(Recipe.model_fields)
    digests = {
        Recipe.model_validate(base.model_dump() | {key: value}).digest() for key, value in changes.items()
    }
    assert len(digests | {base.digest()}) == len(changes) + 1


def test_recipes_survive_json() -> None:
    for recipe in RECIPES.values():
        assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe


def test_only_what_changes_features_changes_the_feature_key() -> None:
    base = get_recipe("lite")
    assert get_recipe("lite", coreset_max=5, smoothing_sigma=0).feature_key() == base.feature_key()
    assert get_recipe("lite", input_size=448).feature_key() != base.feature_key()


def test_unknown_names_and_fields_are_refused() -> None:
    with pytest.raises(NotFound, match="Known recipes: lite"):
        get_recipe("resnet")
    with pytest.raises(ValidationError, match="coreset_ration"):
        get_recipe("lite", coreset_ration=0.1)
    with pytest.raises(ValidationError):
        get_recipe("lite", coreset_ratio=0)
