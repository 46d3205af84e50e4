"""Bundles of classifiers: whole or refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from anomalyos.classifier import versions as classifier_versions
from anomalyos.classifier.bundle import (
    OUT_OF_FOLD,
    WEIGHTS_FILE,
    classifiers_dir,
    load_classifier,
    read_out_of_fold,
    write_classifier,
)
from anomalyos.classifier.tables import ClassifierVersion
from anomalyos.core.errors import BundleError
from anomalyos.core.files.immutable import MANIFEST
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from tests.classifier import drawn


def used(store: Store, settings: Settings) -> tuple[ClassifierVersion, Path]:
    with store.session(read_only=True) as session:
        version = classifier_versions.in_use(session, "dots")
    assert version is not None
    return version, classifiers_dir(settings) / version.bundle_path


def test_a_bundle_holds_what_names_defects_and_nothing_pickled(trained: Store, settings: Settings) -> None:
    version, folder = used(trained, settings)
    assert {path.name for path in folder.iterdir()} == {MANIFEST, WEIGHTS_FILE, OUT_OF_FOLD}
    manifest = json.loads((folder / MANIFEST).read_text())
    assert manifest["classes"] == list(drawn.TYPES)
    assert manifest["content_key"] == version.content_key
    assert len(manifest["data_hash"]) == len(manifest["weights"]) == 64
    assert manifest["metrics"]["macro_f1"] == version.metrics["macro_f1"]
    seen = read_out_of_fold(folder, version.bundle_sha256)
    assert len(seen.keys) == 18
    assert set(seen.truth) == set(drawn.TYPES)


def _append(name: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        with (folder / name).open("ab") as file:
            file.write(b" ")

    return damage


def _edit_threshold(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**manifest, "threshold": 0.0}))


def _format(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**manifest, "format": 99}))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (_append(WEIGHTS_FILE), "changed or damaged"),
        (_append(OUT_OF_FOLD), "changed or damaged"),
        (_append(MANIFEST), "not the one that was put in use"),
        (_edit_threshold, "not the one that was put in use"),
        (_format, "format 99"),
        (lambda folder: (folder / WEIGHTS_FILE).unlink(), "lacks or adds"),
        (lambda folder: (folder / "more.bin").write_bytes(b"x"), "lacks or adds"),
        (lambda folder: (folder / MANIFEST).write_text("{"), "no readable manifest"),
        (shutil.rmtree, "no readable manifest"),
    ],
)
def test_a_damaged_bundle_is_refused(
    trained: Store, settings: Settings, damage: Callable[[Path], None], words: str
) -> None:
    version, folder = used(trained, settings)
    load_classifier(folder, version.bundle_sha256, settings)
    damage(folder)
    with pytest.raises(BundleError, match=words) as caught:
        load_classifier(folder, version.bundle_sha256, settings)
    assert "classifier train" in caught.value.hint


def test_a_bundle_on_other_weights_or_of_another_shape_is_refused(trained: Store, settings: Settings) -> None:
    version, folder = used(trained, settings)
    manifest = json.loads((folder / MANIFEST).read_text())
    seen = read_out_of_fold(folder, version.bundle_sha256)
    classifier = load_classifier(folder, version.bundle_sha256, settings)
    tensors = {"classifier.bias": classifier.network.state_dict()["classifier.bias"]}
    facts = {name: value for name, value in manifest.items() if name not in ("files", "format")}
    target = settings.home / "other"
    sha256 = write_classifier(target, tensors, seen, {**facts, "weights": "0" * 64})
    with pytest.raises(BundleError, match="other efficientnet_lite0 weights"):
        load_classifier(target, sha256, settings)
    shutil.rmtree(target)
    sha256 = write_classifier(target, tensors, seen, facts)
    with pytest.raises(BundleError, match="do not fit"):
        load_classifier(target, sha256, settings)


def test_a_bundle_that_is_there_is_kept(trained: Store, settings: Settings) -> None:
    version, folder = used(trained, settings)
    manifest = json.loads((folder / MANIFEST).read_text())
    classifier = load_classifier(folder, version.bundle_sha256, settings)
    state = classifier.network.state_dict()
    seen = read_out_of_fold(folder)
    before = (folder / MANIFEST).read_bytes()
    tensors = {"classifier.bias": state["classifier.bias"] + np.float32(1)}
    facts = {name: value for name, value in manifest.items() if name not in ("files", "format")}
    assert write_classifier(folder, tensors, seen, facts) == version.bundle_sha256
    assert (folder / MANIFEST).read_bytes() == before
    assert [path.name for path in folder.parent.iterdir() if path.name.startswith(".")] == []
