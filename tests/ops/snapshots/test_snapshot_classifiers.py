"""What names defects travels with the models."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from anomalyos.classifier import versions as classifier_versions
from anomalyos.classifier.predict import get_defect_classifier
from anomalyos.core.errors import AnomalyOSError, BundleError
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.ops.snapshots.snapshot import export_snapshot, snapshot_digest
from anomalyos.ops.snapshots.snapshot_classifiers import CLASSIFIERS, FOLDER
from anomalyos.ops.snapshots.snapshot_import import import_snapshot
from tests.classifier import drawn
from tests.classifier.conftest import trained, trained_home

__all__ = ["trained", "trained_home"]


def other_home(tmp_path: Path) -> tuple[Settings, Store]:
    settings = Settings(home=tmp_path / "other", _env_file=None)
    store = Store(settings)
    store.upgrade()
    return settings, store


def names(settings: Settings, store: Store) -> list[dict[str, float]]:
    namer = get_defect_classifier("dots", settings, store)
    crops = [drawn.draw(kind, 77) for kind in drawn.TYPES]
    return [namer.name_defect(crop).probabilities for crop in crops]


def test_another_home_gives_the_same_names(trained: Store, settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "snapshot"
    assert export_snapshot(settings, trained, folder)["classifiers"] == 1
    there, store = other_home(tmp_path)
    assert import_snapshot(there, store, folder, actor="test")["classifiers"] == 1
    for ours, theirs in zip(names(settings, trained), names(there, store), strict=True):
        assert theirs == pytest.approx(ours, abs=1e-5)
    again = import_snapshot(there, store, folder, actor="test")
    assert (again["known"], again["classifiers"]) == (True, 0)
    with store.session(read_only=True) as session:
        pointer = classifier_versions.pointer(session, "dots")
    assert pointer is not None
    assert pointer.pointer_version == 1
    store.close()


def test_a_damaged_one_is_not_taken_in(trained: Store, settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "snapshot"
    export_snapshot(settings, trained, folder)
    (file,) = (folder / FOLDER).rglob("*.safetensors")
    file.write_bytes(file.read_bytes()[:-4])
    there, store = other_home(tmp_path)
    with pytest.raises(BundleError):
        import_snapshot(there, store, folder, actor="test")
    with store.session(read_only=True) as session:
        assert classifier_versions.list_versions(session) == []
    store.close()


def test_a_path_that_leads_elsewhere_is_refused(trained: Store, settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "snapshot"
    export_snapshot(settings, trained, folder)
    rows = json.loads((folder / CLASSIFIERS).read_text())
    rows[0]["bundle_path"] = "../../elsewhere"
    (folder / CLASSIFIERS).write_text(json.dumps(rows))
    there, store = other_home(tmp_path)
    with pytest.raises(AnomalyOSError, match=r"classifiers in .* cannot be read"):
        import_snapshot(there, store, folder, actor="test")
    store.close()


def test_a_snapshot_from_before_there_were_any_is_still_one(
    trained: Store, settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "snapshot"
    export_snapshot(settings, trained, folder)
    with_them = snapshot_digest(folder)
    (folder / CLASSIFIERS).unlink()
    assert snapshot_digest(folder) != with_them
    there, store = other_home(tmp_path)
    assert import_snapshot(there, store, folder, actor="test")["classifiers"] == 0
    store.close()
