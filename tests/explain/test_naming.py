"""The name of a region among the evidence, with the places that speak for it."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from anomalyos.classifier import train
from anomalyos.classifier import versions as classifier_versions
from anomalyos.classifier.bundle import WEIGHTS_FILE, classifiers_dir
from anomalyos.core.geometry import Box
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.db.rows import stored_id
from anomalyos.explain.explainer import Explainer
from anomalyos.explain.naming import placed
from anomalyos.inspection.inspector import Inspector, live_batch
from tests.classifier import drawn
from tests.support.products import picture


@pytest.fixture(scope="module")
def naming_home(tmp_path_factory: pytest.TempPathFactory, built_home: Path) -> Path:
    """A home with models, and a classifier of ``dots`` that knows red stains from dark scratches."""
    home = tmp_path_factory.mktemp("naming")
    shutil.copytree(built_home, home, dirs_exist_ok=True)
    settings = Settings(home=home, database_url=f"sqlite:///{home / 'anomalyos.db'}", _env_file=None)
    store = Store(settings)
    drawn.fill(store, types=("scratch", "stain"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(train, "log_classifier", lambda *args, **more: {})
        assert drawn.train(store, settings)["promoted"]
    store.close()
    return home


@pytest.fixture
def explainer(settings: Settings, naming_home: Path) -> Iterator[Explainer]:
    from anomalyos.db.engine import close_stores, open_store

    shutil.copytree(naming_home, settings.home, dirs_exist_ok=True)
    store = open_store(settings)
    yield Explainer(settings, store, Inspector(settings, store).champions)
    close_stores()


def inspect(explainer: Explainer, data: bytes, category: str) -> int:
    inspector = Inspector(explainer.settings, explainer.store)
    batch = live_batch(explainer.store)
    return stored_id(inspector.inspect(data, source="a.png", batch_key=batch, category=category).id)


def test_the_region_is_named_and_the_heat_of_the_name_lies_on_it(explainer: Explainer) -> None:
    number = inspect(explainer, picture("dots", 7100, flawed=True), "dots")
    evidence = explainer.explain(number, ["cams"])
    named = evidence.named
    assert named is not None
    assert named.likeliest == "stain"
    assert named.label in (None, "stain")
    assert sum(named.probabilities.values()) == pytest.approx(1)
    assert (named.cam.target, named.cam.layer, named.version) == ("classifier:stain", "bn2", 1)
    assert evidence.pictures["gradcam_pp_class"] == named.cam.overlay_path
    assert {cam.target for cam in evidence.cams} == {"distance"}
    heat = np.load(io.BytesIO(explainer.store.objects.read(named.cam.heat_path)))
    distance = np.load(io.BytesIO(explainer.store.objects.read(evidence.cams[0].heat_path)))
    assert heat.shape == distance.shape
    assert (heat.min(), heat.dtype) == (0, np.float32)
    box = evidence.regions[0]
    scale = heat.shape[0] / 96
    row, col = np.unravel_index(heat.argmax(), heat.shape)
    assert box["y"] - box["height"] <= row / scale <= box["y"] + 2 * box["height"]
    assert box["x"] - box["width"] <= col / scale <= box["x"] + 2 * box["width"]
    assert explainer.explain(number, ["cams"]).named == named


def test_nothing_is_named_without_a_classifier_or_without_a_defect(explainer: Explainer) -> None:
    other = inspect(explainer, picture("stripes", 7101, flawed=True), "stripes")
    evidence = explainer.explain(other, ["cams"])
    assert (evidence.named, evidence.missing) == (None, {})
    good = inspect(explainer, picture("dots", 7102), "dots")
    assert explainer.explain(good, ["cams"]).named is None


def test_a_damaged_classifier_is_said_and_the_other_maps_stay(explainer: Explainer) -> None:
    number = inspect(explainer, picture("dots", 7103, flawed=True), "dots")
    with explainer.store.session(read_only=True) as session:
        version = classifier_versions.in_use(session, "dots")
    assert version is not None
    with (classifiers_dir(explainer.settings) / version.bundle_path / WEIGHTS_FILE).open("ab") as file:
        file.write(b"x")
    evidence = explainer.explain(number, ["cams"])
    assert len(evidence.cams) == 2
    assert evidence.named is None
    assert "changed or damaged" in evidence.missing["cams"]


def test_heat_is_placed_where_its_crop_lies() -> None:
    heat = np.ones((8, 8), dtype=np.float32)
    canvas = placed(heat, Box(x=100, y=25, width=100, height=50), (200, 100), 40)
    assert canvas[10:30, 20:40].min() == 1
    assert canvas.sum() == 20 * 20
    whole = placed(heat, Box(x=0, y=0, width=200, height=100), (200, 100), 40)
    assert whole.min() == 1
    sliver = placed(heat, Box(x=199, y=99, width=1, height=1), (200, 100), 10)
    assert sliver.sum() == sliver[-1, -1] == 1
