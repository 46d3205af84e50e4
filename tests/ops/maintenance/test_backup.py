"""Backups and the way back."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from anomalyos.cli import app
from anomalyos.core.errors import Conflict, NotFound
from anomalyos.core.settings import PROJECT_ROOT, Settings
from anomalyos.db.engine import Store
from anomalyos.models import categories
from anomalyos.ops.maintenance.backup import (
    BackupFailed,
    list_backups,
    make_backup,
    prune_backups,
    restore_backup,
)
from anomalyos.ops.maintenance.upkeep import vacuum
from anomalyos.ops.supervisor.up import only_one

# on SQLite and on PostgreSQL
pytestmark = pytest.mark.databases


def add(store: Store, *names: str) -> None:
    with store.session() as session:
        for name in names:
            categories.ensure(session, name)


def known(store: Store) -> list[str]:
    with store.session(read_only=True) as session:
        return [row.name for row in categories.list_all(session)]


def test_a_restored_database_is_the_one_that_was_backed_up(store_settings: Settings, store: Store) -> None:
    add(store, "cap", "nut")
    made = make_backup(store_settings, store)
    assert made["rows"]["category"] == 2
    add(store, "screw")
    done = restore_backup(store_settings, store, made["file"])
    assert known(store) == ["cap", "nut"]
    # what was replaced can be had back too
    restore_backup(store_settings, store, done["before"])
    assert known(store) == ["cap", "nut", "screw"]
    add(store, "gear")
    assert vacuum(store) == {"done": True}
    assert known(store) == ["cap", "gear", "nut", "screw"]


def test_only_its_owner_reads_a_backup(store_settings: Settings, store: Store) -> None:
    made = make_backup(store_settings, store)
    file = store_settings.backups_dir / made["file"]
    assert file.stat().st_mode & 0o077 == 0
    assert store_settings.backups_dir.stat().st_mode & 0o077 == 0


def test_a_damaged_backup_is_refused_and_changes_nothing(store_settings: Settings, store: Store) -> None:
    add(store, "cap")
    made = make_backup(store_settings, store)
    file = store_settings.backups_dir / made["file"]
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 0xFF
    file.write_bytes(data)
    add(store, "nut")
    with pytest.raises(BackupFailed, match="damaged or changed"):
        restore_backup(store_settings, store)
    assert known(store) == ["cap", "nut"]


def test_what_is_not_there_or_running_is_refused(store_settings: Settings, store: Store) -> None:
    with pytest.raises(NotFound, match="no backup yet"):
        restore_backup(store_settings, store)
    made = make_backup(store_settings, store)
    with pytest.raises(NotFound, match=r"no backup other\.db"):
        restore_backup(store_settings, store, "other.db")
    with only_one(store_settings), pytest.raises(Conflict, match="running"):
        restore_backup(store_settings, store, made["file"])


def test_the_newest_backups_are_kept(store_settings: Settings, store: Store) -> None:
    few = store_settings.model_copy(update={"keep_backups": 2})
    made = [make_backup(few, store)["file"] for _ in range(4)]
    (few.backups_dir / made[1]).with_suffix(".json").unlink()  # never finished
    assert prune_backups(few, dry_run=True) == made[:2]
    assert len(list(few.backups_dir.glob("[0-9]*.d*"))) == 4
    assert prune_backups(few) == made[:2]
    assert [entry["file"] for entry in list_backups(few)] == made[:1:-1]


def test_the_commands(store_settings: Settings, store: Store) -> None:
    add(store, "cap")
    runner = CliRunner()
    assert "no backup yet" in runner.invoke(app, ["backup", "list"]).stdout
    assert runner.invoke(app, ["backup", "create"]).exit_code == 0
    dry = runner.invoke(app, ["maintain", "--dry-run"])
    assert dry.exit_code == 0
    assert "none made, this is a dry run" in dry.stdout
    assert len(list_backups(store_settings)) == 1
    done = runner.invoke(app, ["maintain"])
    assert done.exit_code == 0, done.output
    assert "Vacuum: done." in done.stdout
    assert len(list_backups(store_settings)) == 2
    assert runner.invoke(app, ["restore"], input="n\n").exit_code == 2
    assert len(list_backups(store_settings)) == 2
    assert "The database is that of" in runner.invoke(app, ["restore", "--yes"]).stdout


RESTORING = """
import sys
from anomalyos.ops.maintenance.backup import restore_backup
from anomalyos.core.settings import get_settings
from anomalyos.db.engine import open_store
settings = get_settings()
restore_backup(settings, open_store(settings), sys.argv[1])
"""


def test_a_killed_restore_leaves_one_of_the_two_whole(
    settings: Settings, migrated_sqlite: Path, tmp_path: Path
) -> None:
    import shutil

    shutil.copy(migrated_sqlite, settings.home / "anomalyos.db")
    store = Store(settings)
    old, new = [f"old{i:03}" for i in range(300)], [f"new{i:03}" for i in range(300)]
    add(store, *old)
    made = make_backup(settings, store)
    add(store, *new)
    chance = random.Random(5)
    seen = set()
    for _ in range(6):
        command = [sys.executable, "-c", RESTORING, made["file"]]
        environment = {**os.environ, "ANOMALYOS_HOME": str(settings.home)}
        running = subprocess.Popen(command, env=environment, cwd=PROJECT_ROOT, start_new_session=True)
        time.sleep(0.3 + 1.5 * chance.random())
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
        now = known(store)
        assert now in (sorted([*old, *new]), old)
        seen.add(len(now))
        add(store, *new)
    assert seen
    store.close()
