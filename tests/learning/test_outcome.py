from __future__ import annotations

import pytest

from anomalyos.core.errors import NotFound
from anomalyos.core.settings import Settings
from anomalyos.learning.outcome import RebuildFailed, summarise
from anomalyos.products.selection import choose_categories


@pytest.fixture
def with_products(settings: Settings) -> Settings:
    for name in ("nut", "bolt", "cap"):
        (settings.data_dir / name / "train" / "good").mkdir(parents=True)
    return settings


def test_nothing_wanted_means_everything(with_products: Settings) -> None:
    assert choose_categories(with_products, []) == ["bolt", "cap", "nut"]


def test_each_is_rebuilt_once(with_products: Settings) -> None:
    assert choose_categories(with_products, ["nut", "cap", "nut"]) == ["cap", "nut"]


def test_every_unknown_name_is_named(with_products: Settings) -> None:
    with pytest.raises(NotFound, match="screw, washer"):
        choose_categories(with_products, ["nut", "washer", "screw"])


def test_no_category_at_all_says_how_to_import(settings: Settings) -> None:
    with pytest.raises(NotFound, match="anomalyos data import"):
        choose_categories(settings, [])


def result(name: str, created: bool, promoted: bool) -> dict[str, object]:
    return {"category": name, "created": created, "promoted": promoted}


def test_summary_tells_what_was_created_and_promoted() -> None:
    summary = summarise(["a", "b"], [result("b", True, False), result("a", True, True)])
    assert (summary["created"], summary["promoted"]) == (["a", "b"], ["a"])


def test_summary_fails_and_names_what_is_missing() -> None:
    with pytest.raises(RebuildFailed, match="1 of 2 categories failed: b"):
        summarise(["a", "b"], [result("a", True, True)])
