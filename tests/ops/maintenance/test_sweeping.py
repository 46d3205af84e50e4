"""Retention and the sweep: what goes, what must never go, and what comes back."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.db.rows import stored_id
from anomalyos.explain.tables import Explanation
from anomalyos.inspection import batches, reviews
from anomalyos.inspection.tables import Image, Inspection
from anomalyos.models import categories, promotions
from anomalyos.models import versions as model_versions
from anomalyos.models.tables import ModelVersion
from anomalyos.ops.maintenance.orphans import SWEPT, sweep_orphans
from anomalyos.ops.maintenance.retention import apply_retention

# on SQLite and on PostgreSQL
pytestmark = pytest.mark.databases

NOW = datetime(2026, 11, 20, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=100)


def inspected(store: Store, name: str, verdict: str = "normal", when: datetime = LONG_AGO) -> int:
    """An inspection with photograph and map; its number."""
    photo, heat = store.objects.put(name.encode(), ".png"), store.objects.put(f"map {name}".encode(), ".npy")
    with store.session() as session:
        batch = batches.get_or_create(session, key="night-2026-08-01", kind="nightly", day="2026-08-01")
        image = Image(
            sha256=Path(photo).name[:64],
            object_path=photo,
            format="PNG",
            width=1,
            height=1,
            size_bytes=len(name),
            created_at=when,
        )
        session.add(image)
        session.flush()
        row = Inspection(
            work_key=name,
            batch_id=stored_id(batch.id),
            image_id=image.id,
            source=name,
            content_sha256=image.sha256,
            verdict=verdict,
            map_path=heat,
            created_at=when,
        )
        session.add(row)
        session.flush()
        return stored_id(row.id)


def make_old(root: Path, days: float = 10) -> None:
    then = time.time() - days * 86400
    for path in root.rglob("*"):
        os.utime(path, (then, then))


def files(store: Store) -> list[str]:
    return sorted(path.name for path in store.objects.root.glob("[0-9a-f]*/*/*"))


def test_photographs_of_old_normal_parts_go_and_their_figures_stay(
    store_settings: Settings, store: Store
) -> None:
    policy = store_settings.model_copy(update={"keep_normal_days": 30})
    old = inspected(store, "old")
    kept = [
        inspected(store, "flagged", "anomalous"),
        inspected(store, "young", when=NOW - timedelta(days=3)),
        inspected(store, "reviewed"),
    ]
    with store.session() as session:
        reviews.decide(
            session, inspection_id=kept[2], decision="false_alarm", actor="mia", expected_version=0
        )
        picture = store.objects.put(b"why", ".png")
        session.add(
            Explanation(inspection_id=old, method="shap", input_key="k", files={"a": picture}, cost_ms=1.0)
        )
    assert apply_retention(policy, store, dry_run=True, now=NOW)["photographs"] == 1
    assert apply_retention(store_settings, store, now=NOW)["photographs"] == 0
    assert apply_retention(policy, store, now=NOW) == {"photographs": 1, "images": 1, "versions": []}
    assert apply_retention(policy, store, now=NOW)["photographs"] == 0
    with store.session(read_only=True) as session:
        row = session.get(Inspection, old)
        assert row is not None
        assert (row.verdict, row.image_id, row.map_path) == ("normal", None, "")
        assert all(session.get(Inspection, number).image_id for number in kept)
        assert session.exec(select(Explanation)).all() == []
    make_old(store.objects.root)
    assert sweep_orphans(policy, store)["objects"] == 3
    assert len(files(store)) == 6


def test_only_old_files_without_a_row_are_swept_and_they_wait_before_they_go(
    store_settings: Settings, store: Store
) -> None:
    inspected(store, "named")
    lost = store.objects.put(b"lost", ".png")
    make_old(store.objects.root)
    young = store.objects.put(b"young", ".png")
    dry = sweep_orphans(store_settings, store, dry_run=True)
    assert (dry["objects"], dry["object_bytes"]) == (1, 4)
    assert (store.objects.root / lost).is_file()
    assert sweep_orphans(store_settings, store)["objects"] == 1
    assert not (store.objects.root / lost).exists()
    assert (store.objects.root / young).is_file()
    assert (store.objects.root / SWEPT / lost).is_file()
    # a row that came late brings its file back
    with store.session() as session:
        session.add(Image(sha256="0" * 64, object_path=lost, format="PNG", width=1, height=1, size_bytes=4))
    assert sweep_orphans(store_settings, store)["restored"] == 1
    assert store.objects.read(lost) == b"lost"
    with store.session() as session:
        session.delete(session.exec(select(Image).where(Image.object_path == lost)).one())
    make_old(store.objects.root)
    sweep_orphans(store_settings, store)
    make_old(store.objects.root / SWEPT)
    report = sweep_orphans(store_settings, store)
    assert report["removed"] == 2  # the young one has grown old
    assert list((store.objects.root / SWEPT).rglob("*.png")) == []


def test_a_file_that_is_stored_again_is_young_again(store_settings: Settings, store: Store) -> None:
    """A job that is about to write the row meets an old file: it must still be there afterwards."""
    lost = store.objects.put(b"lost", ".png")
    make_old(store.objects.root)
    assert store.objects.put(b"lost", ".png") == lost
    assert sweep_orphans(store_settings, store)["objects"] == 0
    assert store.objects.read(lost) == b"lost"


def version(store: Store, number: int, folder: str) -> int:
    with store.session() as session:
        category = categories.ensure(session, "cap")
        row = ModelVersion(
            category_id=stored_id(category.id),
            version=number,
            content_key=f"{number:064}",
            bundle_path=folder,
            bundle_sha256=f"{number:064}",
            recipe="lite",
            recipe_hash="x",
            alpha=0.05,
            threshold=1.0,
        )
        return stored_id(model_versions.add(session, row).id)


def promote(store: Store, number: int) -> None:
    with store.session() as session:
        category = categories.by_name(session, "cap")
        chosen = model_versions.by_version(session, "cap", number)
        promotions.promote(
            session,
            category_id=stored_id(category.id),
            version_id=stored_id(chosen.id),
            expected_pointer=category.pointer_version,
            actor="mia",
            reason="test",
        )


def bundle(settings: Settings, folder: str) -> Path:
    path = settings.bundles_dir / folder
    path.mkdir(parents=True)
    (path / "manifest.json").write_text('{"files": {}}')
    return path


def test_champion_and_rollback_target_keep_their_files(store_settings: Settings, store: Store) -> None:
    for number in range(1, 6):
        version(store, number, f"cap/{number}")
        bundle(store_settings, f"cap/{number}")
    promote(store, 2)
    promote(store, 1)
    policy = store_settings.model_copy(update={"keep_versions": 1})
    assert apply_retention(policy, store, dry_run=True)["versions"] == ["cap v4", "cap v3"]
    assert len(list((store_settings.bundles_dir / "cap").iterdir())) == 5
    assert apply_retention(policy, store)["versions"] == ["cap v4", "cap v3"]
    left = sorted(path.name for path in (store_settings.bundles_dir / "cap").iterdir())
    assert left == ["1", "2", "5"]
    with store.session(read_only=True) as session:
        assert len(model_versions.list_versions(session, "cap")) == 5


def test_bundles_that_no_version_names_go_once_they_are_old(store_settings: Settings, store: Store) -> None:
    version(store, 1, "cap/named")
    bundle(store_settings, "cap/named")
    bundle(store_settings, "cap/orphan")
    unfinished = store_settings.bundles_dir / "cap" / ".writing-x"
    unfinished.mkdir()
    strange = store_settings.bundles_dir / "cap" / "notes"
    strange.mkdir()
    (strange / "read.me").write_text("somebody's")
    assert sweep_orphans(store_settings, store)["bundles"] == []
    make_old(store_settings.bundles_dir)
    bundle(store_settings, "cap/fresh")
    assert sweep_orphans(store_settings, store)["bundles"] == ["cap/.writing-x", "cap/orphan"]
    assert {path.name for path in (store_settings.bundles_dir / "cap").iterdir()} == {
        "named",
        "notes",
        "fresh",
    }


def test_a_safe_age_cannot_be_set_away(settings: Settings) -> None:
    with pytest.raises(ValueError, match="orphan_age_hours"):
        Settings(home=settings.home, orphan_age_hours=1, _env_file=None)
