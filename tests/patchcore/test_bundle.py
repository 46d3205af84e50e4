"""Bundles: whole or not at all, and exactly what was written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from anomalyos.core.errors import BundleError
from anomalyos.core.files.immutable import MANIFEST
from anomalyos.features.recipes import get_recipe
from anomalyos.patchcore.bundle import load_bundle, load_prototype, verify_bundle, write_bundle
from anomalyos.patchcore.calibration import Calibration
from anomalyos.patchcore.model import PatchCoreModel
from anomalyos.patchcore.router import Prototype

RECIPE = get_recipe("lite", input_size=64, reduced_dims=4, whitening=0.25, coreset_ratio=0.5)
FACTS = {
    "category": "stripes",
    "weights": "abc",
    "training_images": [{"path": "train/good/0.png", "sha256": "x"}],
}


@pytest.fixture
def model() -> PatchCoreModel:
    return PatchCoreModel.fit(torch.randn(5, 6, 6, 8, generator=torch.Generator().manual_seed(0)), RECIPE)


@pytest.fixture
def folder(tmp_path: Path, model: PatchCoreModel) -> Path:
    write(tmp_path / "bundles" / "one", model)
    return tmp_path / "bundles" / "one"


def write(target: Path, model: PatchCoreModel) -> str:
    return write_bundle(
        target,
        model=model,
        calibration=Calibration(np.array([1.0, 2.5]), np.array([0, 1]), 0.4, 2.0, 0.5),
        prototype=Prototype(np.array([0.6, 0.8], np.float32), 0.9, 0.95),
        facts=FACTS,
    )


def test_what_is_loaded_scores_like_what_was_written(folder: Path, model: PatchCoreModel) -> None:
    bundle = load_bundle(folder)
    image = torch.randn(6, 6, 8)
    # products of differently laid out matrices may differ in the last digit
    assert bundle.model.score(image).score == pytest.approx(model.score(image).score, rel=1e-5)
    assert bundle.recipe == RECIPE
    assert bundle.calibration.scores.tolist() == [1.0, 2.5]
    assert (bundle.prototype.lowest, bundle.prototype.typical) == (0.9, 0.95)
    assert bundle.category == "stripes"
    assert bundle.training_images == FACTS["training_images"]
    assert bundle.size_bytes() == sum(
        path.stat().st_size for path in folder.iterdir() if path.name != MANIFEST
    )


def test_nothing_in_a_bundle_needs_unpickling(folder: Path) -> None:
    assert {path.suffix for path in folder.iterdir()} == {".json", ".npy", ".faiss", ".safetensors"}
    for path in folder.glob("*.npy"):
        assert b"|O" not in path.read_bytes()[:128]


@pytest.mark.parametrize("name", ["bank.faiss", "origin.npy", "prototype.npy", "calibration.json"])
def test_one_changed_byte_is_noticed(folder: Path, name: str) -> None:
    path = folder / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(BundleError, match=name):
        load_bundle(folder)


def test_the_prototype_is_read_without_the_memory_bank(folder: Path) -> None:
    expected = verify_bundle(folder)
    (folder / "bank.faiss").write_bytes(b"damaged")
    found, whole = load_prototype(folder, expected), Prototype(np.array([0.6, 0.8], np.float32), 0.9, 0.95)
    np.testing.assert_array_equal(found.vector, whole.vector)
    assert (found.lowest, found.typical) == (whole.lowest, whole.typical)


@pytest.mark.parametrize("name", ["prototype.npy", "calibration.json", MANIFEST])
def test_a_prototype_that_is_not_what_was_written_is_refused(folder: Path, name: str) -> None:
    expected = verify_bundle(folder)
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(BundleError):
        load_prototype(folder, expected)
    (folder / name).unlink()
    with pytest.raises(BundleError):
        load_prototype(folder, expected)


def test_a_missing_or_additional_file_is_noticed(folder: Path) -> None:
    (folder / "extra.txt").write_text("hello")
    with pytest.raises(BundleError, match=r"extra\.txt"):
        verify_bundle(folder)
    (folder / "extra.txt").unlink()
    (folder / "origin.npy").unlink()
    with pytest.raises(BundleError, match=r"origin\.npy"):
        verify_bundle(folder)


def test_another_manifest_than_the_promoted_one_is_noticed(folder: Path) -> None:
    expected = verify_bundle(folder)
    assert load_bundle(folder, expected).sha256 == expected
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["category"] = "dots"
    (folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="not the one that was promoted"):
        load_bundle(folder, expected)


def test_a_later_format_is_refused(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["format"] = 99
    (folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="format 99"):
        load_bundle(folder)


def test_writing_the_same_place_again_keeps_what_is_there(folder: Path, model: PatchCoreModel) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert write(folder, model) == verify_bundle(folder)
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    assert [path.name for path in folder.parent.iterdir()] == ["one"]


def test_a_write_that_dies_leaves_no_bundle(
    tmp_path: Path, model: PatchCoreModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("anomalyos.core.files.immutable.sync", fail)
    with pytest.raises(OSError, match="disk full"):
        write(tmp_path / "bundles" / "two", model)
    assert list((tmp_path / "bundles").iterdir()) == []


def test_no_bundle_at_all_is_a_clear_error(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(BundleError, match="no readable manifest"):
        load_bundle(tmp_path / "nowhere")
    shutil.copytree(folder, tmp_path / "copy")
    (tmp_path / "copy" / MANIFEST).write_text("[]")
    with pytest.raises(BundleError, match="no readable manifest"):
        load_bundle(tmp_path / "copy")
