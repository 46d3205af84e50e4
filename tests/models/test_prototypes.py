"""The router is made of prototypes alone, and one that is damaged is nobody else's trouble."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from anomalyos.core.errors import BundleError
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.models.champions import Champions
from anomalyos.models.tables import ModelVersion


@pytest.fixture
def champions(settings: Settings, built: Store) -> Champions:
    return Champions(settings, built)


def folder(champions: Champions, version: ModelVersion) -> Path:
    return champions.settings.bundles_dir / version.bundle_path


def test_the_router_is_that_of_the_bundles_and_loads_none(champions: Champions) -> None:
    pointers = champions.pointers()
    router = champions.router(pointers)
    assert champions._bundles == {}
    assert router.router.names == ["dots", "stripes"]
    for name, version in pointers.items():
        prototype = champions.load(version).prototype
        route = router.route(prototype.vector)
        assert route.category == name
        assert route.similarity == pytest.approx(1.0, abs=1e-5)
    assert champions.router(pointers) is router


def test_a_moved_pointer_makes_another_router(champions: Champions) -> None:
    pointers = champions.pointers()
    champions.router(pointers)
    only = {"dots": pointers["dots"]}
    assert champions.router(only).router.names == ["dots"]


def test_what_may_be_of_a_damaged_product_is_not_called_unknown(champions: Champions) -> None:
    pointers = champions.pointers()
    vectors = {name: champions.load(version).prototype.vector for name, version in pointers.items()}
    path = folder(champions, pointers["dots"]) / "prototype.npy"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + b"x")
    router = Champions(champions.settings, champions.store).router(pointers)
    assert router.route(vectors["stripes"]).category == "stripes"
    away = -np.asarray(vectors["stripes"])
    with pytest.raises(BundleError, match=r"prototype\.npy"):
        router.route(away)
    assert router.route(away, "stripes").category is None


def test_a_repaired_prototype_is_read_again(champions: Champions) -> None:
    pointers = champions.pointers()
    path = folder(champions, pointers["dots"]) / "calibration.json"
    whole = path.read_bytes()
    path.unlink()
    assert champions.router(pointers).router.names == ["stripes"]
    path.write_bytes(whole)
    assert champions.router(pointers).router.names == ["dots", "stripes"]


def test_without_any_prototype_the_reason_is_said(champions: Champions) -> None:
    pointers = champions.pointers()
    for version in pointers.values():
        (folder(champions, version) / "prototype.npy").unlink()
    with pytest.raises(BundleError, match="changed or damaged"):
        champions.router(pointers)
