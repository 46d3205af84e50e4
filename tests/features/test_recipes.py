"""Recipes: one name, one hash, no silent typos."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from anomalyos.core.errors import NotFound
from anomalyos.features.recipes import RECIPES, Recipe, get_recipe

LITE_BEFORE = "f82f3262a6f99f921d45e30ae372f8240a61dbf17c16f8384bf7b00d0120b8f7"


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
        "zero_padded": True,
        "unit_levels": True,
        "centred": True,
        "score_share": 0.01,
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


def test_a_field_that_came_later_leaves_older_digests_alone() -> None:
    # of bundles made before zero_padded, unit_levels, centred and score_share were fields
    assert get_recipe("lite").digest() == LITE_BEFORE


def test_a_transformer_takes_whole_patches_only() -> None:
    with pytest.raises(ValidationError, match="multiple of 14"):
        get_recipe("dinov2_s", input_size=256)


def test_unknown_names_and_fields_are_refused() -> None:
    with pytest.raises(NotFound, match=r"Known recipes: dinov2_s, .*lite"):
        get_recipe("resnet")
    with pytest.raises(ValidationError, match="coreset_ration"):
        get_recipe("lite", coreset_ration=0.1)
    with pytest.raises(ValidationError):
        get_recipe("lite", coreset_ratio=0)
