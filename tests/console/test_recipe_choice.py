"""Why a version has its recipe: what the comparison left, in figures and words, and where there was none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from nicegui.testing import User

from anomalyos.core.settings import Settings
from anomalyos.models import versions as model_versions
from anomalyos.models.tables import ModelVersion
from anomalyos.patchcore.synthesis import KINDS
from anomalyos.patchcore.tuning import Candidate, Tuning
from console.pages.admin.recipe_section import distance, note, scale_start
from console.services.recipe_choice import Compared, RecipeChoice, recipe_choice
from console.texts import wording
from console.ui.kit import Text
from tests.console.conftest import Console, SignIn
from tests.console.test_admin import add_bundle, person, put_in_use, sees

TUNING = Tuning(
    "dinov2_s",
    "lite_448 was better by 0.011, but not by enough.",
    (
        Candidate("dinov2_s", 0.931, 0.011, 0.009, {"blob": 0.99, "scratch": 0.87}, 61.2),
        Candidate("lite", 0.887, 0.055, 0.011, {"blob": 0.9, "scratch": 0.91}, 24.0),
        Candidate("lite_448", 0.942, 0.0, 0.0, {"blob": 0.95, "scratch": 0.94}, 1240.0),
    ),
    60,
    tuple("abcdefgh"),
)


def version(recipe: str = "dinov2_s", **metrics: object) -> ModelVersion:
    return ModelVersion(recipe=recipe, metrics=metrics)


def settings(tmp_path: Path, categories: str = "", **own: Any) -> Settings:
    """Settings with an include folder of their own."""
    include = tmp_path / "include"
    include.mkdir()
    if categories:
        (include / "categories.yaml").write_text(categories, encoding="utf-8")
    return Settings(home=tmp_path, include_dir=include, _env_file=None, **own)


def tuned(console: Console, product: str = "stripes") -> int:
    """A version in use that was compared; returns its number."""
    number = add_bundle(console, product)
    with console.store.session() as session:
        row = model_versions.by_version(session, product, number)
        row.recipe, row.metrics = "dinov2_s", {**row.metrics, "tuning": TUNING.to_json()}
        session.add(row)
    put_in_use(console, product, number)
    return number


# the service -----------------------------------------------------------------------------------


def test_the_comparison_comes_as_it_was_kept(tmp_path: Path) -> None:
    found = recipe_choice(version(tuning=TUNING.to_json()), "stripes", settings(tmp_path))
    assert found.reason == TUNING.reason
    assert [row.recipe for row in found.compared] == ["dinov2_s", "lite", "lite_448"]
    assert [row.chosen for row in found.compared] == [True, False, False]
    assert [row.best for row in found.compared] == [False, False, True]
    assert (found.best, found.kinds, found.pictures, found.parts) == (0.942, ["blob", "scratch"], 60, 8)


def test_the_reach_is_what_the_choice_counts_as_noise() -> None:
    """Whether it reaches the best is whether the candidate could be taken."""
    row = Compared("a", 0.93, 0.012, 0.006, {}, 1.0, chosen=True)
    assert row.reach == pytest.approx((0.918, 0.942))
    assert Compared("a", 0.99, 0.005, 0.2, {}, 1.0, chosen=True).reach == (pytest.approx(0.59), 1.0)
    assert Compared("a", 0.94, 0.0, 0.0, {}, 1.0, chosen=False).reach == (0.94, 0.94)


def test_taken_untried_says_so_and_compares_nothing(tmp_path: Path) -> None:
    tuning = Tuning("dinov2_s", "Taken untried: fewer than 6 parts decide by luck.")
    found = recipe_choice(version(tuning=tuning.to_json()), "stripes", settings(tmp_path))
    assert (found.reason, found.compared) == (tuning.reason, [])


@pytest.mark.parametrize(
    ("categories", "everywhere", "words"),
    [
        ("categories:\n  stripes: {recipe: lite}\n", "auto", "in include/categories.yaml"),
        ("categories:\n  stripes: {alpha: 0.01}\n", "lite", "by ANOMALYOS_RECIPE"),
        ("categories:\n  stripes: {recipe: lite2}\n", "auto", "when this version was built"),
        ("categories:\n  stripes:\n", "auto", "when this version was built"),
        ("", "auto", "when this version was built"),
        ("categories: [not, a, mapping]\n", "auto", "when this version was built"),
    ],
)
def test_a_recipe_nobody_compared_says_who_named_it(
    tmp_path: Path, categories: str, everywhere: str, words: str
) -> None:
    found = recipe_choice(version("lite"), "stripes", settings(tmp_path, categories, recipe=everywhere))
    assert found.compared == []
    assert found.reason.startswith("lite ")
    assert words in found.reason


# the page --------------------------------------------------------------------------------------


def test_every_kind_of_drawn_defect_has_a_name() -> None:
    assert set(wording.DRAWN_DEFECTS) == set(KINDS)


def test_the_scale_holds_every_reach_and_begins_at_a_round_figure() -> None:
    rows = [
        Compared("a", 0.931, 0.011, 0.0155, {}, 1.0, chosen=True),
        Compared("b", 0.942, 0, 0, {}, 1.0, chosen=False),
    ]
    assert scale_start(RecipeChoice("", rows)) == pytest.approx(0.9)
    assert scale_start(RecipeChoice("", [rows[1]])) == pytest.approx(0.9)
    lost = Compared("c", 0.02, 0.9, 0.1, {}, 1.0, chosen=False)
    assert scale_start(RecipeChoice("", [lost])) == 0


def test_figures_in_words() -> None:
    rows = [Compared(**row, chosen=False) for row in TUNING.to_json()["candidates"]]
    assert [distance(row) for row in rows] == ["0.011 ± 0.009 behind", "0.055 ± 0.011 behind", "the best"]
    assert note(RecipeChoice("", rows, 1, 1)).startswith("Measured on 1 normal image of 1 part and ")


def marked(user: User, marker: str) -> str:
    """All that is written inside an element."""
    (element,) = user.find(marker=marker).elements
    return " ".join(inner.text for inner in element.descendants() if isinstance(inner, Text))


async def test_the_page_shows_the_candidates_of_the_version_in_use(console: Console, sign_in: SignIn) -> None:
    number = tuned(console)
    user = await sign_in("erik")
    await user.open("/admin/models?product=stripes")
    await sees(user, TUNING.reason)
    for sight in (
        f"v{number}, dinov2_s",
        "0.931",
        "0.011 ± 0.009 behind",
        "61 ms an image",
        "1.24 s an image",
        "Spot",
        "Scratch",
        "0.87",
        "Measured on 60 normal images of 8 parts",
    ):
        await user.should_see(sight)
    for recipe in ("dinov2_s", "lite", "lite_448"):
        await user.should_see(marker=f"candidate-{recipe}")
    chosen = [row.recipe for row in TUNING.candidates if "Chosen" in marked(user, f"candidate-{row.recipe}")]
    assert chosen == ["dinov2_s"]


async def test_another_version_can_be_asked_about(console: Console, sign_in: SignIn) -> None:
    tuned(console)
    user = await sign_in("erik")
    await user.open("/admin/models?product=stripes")
    await sees(user, TUNING.reason)
    (link,) = user.find(marker="why-1").elements
    assert link.props["href"] == "/admin/models?product=stripes&offset=0&why=1#why"
    assert link.props["aria-label"] == "lite: why v1 has this recipe"
    await user.open("/admin/models?product=stripes&offset=0&why=1")
    await sees(user, "lite is named for all products by ANOMALYOS_RECIPE, so nothing was compared.")
    await user.should_not_see(TUNING.reason)
    await user.should_not_see(marker="candidate-lite")
    await user.open("/admin/models?product=stripes&why=99")
    await sees(user, TUNING.reason)


def test_the_service_gives_every_listed_version_its_choice(console: Console) -> None:
    number = tuned(console)
    view = console.services.models.product(person("erik"), "stripes")
    assert {row.version: bool(row.choice.compared) for row in view.versions} == {1: False, number: True}
