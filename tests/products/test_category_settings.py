"""Category settings: defaults, overrides, and clear words about mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from anomalyos.core.errors import AnomalyOSError, NotFound
from anomalyos.core.settings import PROJECT_ROOT, Settings
from anomalyos.products.category_settings import category_settings
from anomalyos.products.sample.writer import ALL


def write(settings: Settings, tmp_path: Path, text: str) -> Settings:
    (tmp_path / "categories.yaml").write_text(text)
    settings.include_dir = tmp_path
    return settings


def test_a_category_that_is_not_named_gets_the_defaults(settings: Settings, tmp_path: Path) -> None:
    own = category_settings("anything", write(settings, tmp_path, "categories: {}\n"))
    assert (own.recipe, own.alpha) == (settings.recipe, settings.alpha)
    settings.include_dir = tmp_path / "nowhere"
    assert category_settings("anything", settings) == own


def test_recipe_alpha_and_fields_can_be_set(settings: Settings, tmp_path: Path) -> None:
    text = "categories:\n  screw: {recipe: lite2, alpha: 0.01, input_size: 320, border: 0}\n"
    own = category_settings("screw", write(settings, tmp_path, text))
    recipe = own.build_recipe()
    assert own.alpha == 0.01
    assert (recipe.name, recipe.input_size, recipe.border) == ("lite2", 320, 0)


def test_the_shipped_file_is_valid(settings: Settings) -> None:
    settings.include_dir = PROJECT_ROOT / "include"
    assert {category_settings(name, settings).build_recipe().name for name in ALL} == {"lite"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("categories: [screw]", "mapping named 'categories'"),
        ("categories: {screw: {alpha: 2}}", "'screw' are not valid"),
        ("a: b: c", "cannot be read"),
    ],
)
def test_a_wrong_file_is_explained(settings: Settings, tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(AnomalyOSError, match=words):
        category_settings("screw", write(settings, tmp_path, text))


def test_a_wrong_field_is_named_when_the_recipe_is_built(settings: Settings, tmp_path: Path) -> None:
    own = category_settings("screw", write(settings, tmp_path, "categories: {screw: {imput_size: 300}}"))
    with pytest.raises(AnomalyOSError, match="imput_size"):
        own.build_recipe()
    other = category_settings("screw", write(settings, tmp_path, "categories: {screw: {recipe: none}}"))
    with pytest.raises(NotFound, match="Known recipes"):
        other.build_recipe()
