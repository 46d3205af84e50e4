"""Moving a pointer over real bundles: verified first, and only from where the actor saw it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from anomalyos.core.errors import AnomalyOSError, BundleError, Conflict, NotFound
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.models import categories, pointer
from anomalyos.models import versions as model_versions
from anomalyos.models.tables import ModelVersion


@pytest.fixture
def second(settings: Settings, built_home: Path) -> Iterator[Store]:
    """A store of two learned products, where ``stripes`` has a second version with the same files."""
    import shutil

    shutil.copytree(built_home, settings.home, dirs_exist_ok=True)
    store = Store(settings)
    folder = settings.bundles_dir / "stripes" / "copy"
    with store.session() as session:
        first = model_versions.by_version(session, "stripes", 1)
        shutil.copytree(settings.bundles_dir / first.bundle_path, folder)
        fields = first.model_dump(exclude={"id", "version", "content_key", "bundle_path"})
        model_versions.add(
            session, ModelVersion(**fields, version=2, content_key="2" * 64, bundle_path="stripes/copy")
        )
    yield store
    store.close()


def in_use(store: Store) -> int:
    with store.session(read_only=True) as session:
        version = model_versions.champion(session, "stripes")
    assert version is not None
    return version.version


def promote(store: Store, settings: Settings, version: int, **more: int) -> None:
    pointer.promote_version(
        store, settings, category="stripes", version=version, actor="erik", reason="better", **more
    )


def test_a_whole_bundle_is_promoted_and_rolled_back(second: Store, settings: Settings) -> None:
    promote(second, settings, 2)
    assert in_use(second) == 2
    pointer.roll_back(second, settings, category="stripes", actor="erik", reason="worse")
    assert in_use(second) == 1
    with pytest.raises(Conflict, match="no earlier champion"):
        pointer.roll_back(second, settings, category="stripes", actor="erik", reason="worse")


def test_a_damaged_bundle_is_neither_promoted_nor_returned_to(second: Store, settings: Settings) -> None:
    calibration = settings.bundles_dir / "stripes" / "copy" / "calibration.json"
    whole = calibration.read_bytes()
    calibration.write_bytes(b"{}")
    with pytest.raises(BundleError, match=r"calibration\.json"):
        promote(second, settings, 2)
    assert in_use(second) == 1
    calibration.write_bytes(whole)
    promote(second, settings, 2)
    with second.session(read_only=True) as session:
        first = settings.bundles_dir / model_versions.by_version(session, "stripes", 1).bundle_path
    (first / "calibration.json").unlink()
    with pytest.raises(BundleError, match=r"calibration\.json"):
        pointer.roll_back(second, settings, category="stripes", actor="erik", reason="worse")
    assert in_use(second) == 2


def test_who_looked_at_an_older_pointer_is_refused(second: Store, settings: Settings) -> None:
    with second.session(read_only=True) as session:
        seen = categories.by_name(session, "stripes").pointer_version
    promote(second, settings, 2, expected_pointer=seen)
    with pytest.raises(Conflict, match="somebody else"):
        promote(second, settings, 1, expected_pointer=seen)
    with pytest.raises(Conflict, match="somebody else"):
        pointer.roll_back(
            second, settings, category="stripes", actor="erik", reason="worse", expected_pointer=seen
        )
    assert in_use(second) == 2


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501, "\0"])
def test_a_reason_is_needed_and_must_be_storable(second: Store, settings: Settings, reason: str) -> None:
    with pytest.raises(AnomalyOSError, match="reason"):
        pointer.promote_version(second, settings, category="stripes", version=2, actor="erik", reason=reason)
    assert in_use(second) == 1


def test_what_does_not_exist_is_said(second: Store, settings: Settings) -> None:
    with pytest.raises(NotFound):
        promote(second, settings, 9)


def test_the_size_is_what_the_manifest_lists(second: Store, settings: Settings) -> None:
    with second.session(read_only=True) as session:
        version = model_versions.by_version(session, "stripes", 2)
    folder = settings.bundles_dir / version.bundle_path
    files = [path.stat().st_size for path in folder.iterdir() if path.name != "manifest.json"]
    assert pointer.stored_bytes(settings, version) == sum(files)
    (folder / "manifest.json").write_text('{"files": []}')
    assert pointer.stored_bytes(settings, version) is None
