"""A real night of 578 images, killed with SIGKILL ten times, ends as an undisturbed one does."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from sqlmodel import select

from anomalyos.core.settings import PROJECT_ROOT, Settings
from anomalyos.db.engine import Store
from anomalyos.inspection.tables import Inspection
from anomalyos.learning.rebuild import rebuild_category
from anomalyos.ops.supervisor.airflow_env import airflow_environment

SOURCE = PROJECT_ROOT.parent / "shared" / "data" / "magnetic_tile"
DAY = "2026-11-23"
CATEGORY = "magnetic_tile"
TRAIN_IMAGES = 24
KILLS = 10
NIGHT_SECONDS = 600

pytestmark = [
    pytest.mark.full,
    pytest.mark.airflow,
    pytest.mark.shared_data,
    pytest.mark.timeout(1500),
    pytest.mark.skipif(not SOURCE.is_dir(), reason="needs ../shared/data/magnetic_tile"),
]

Row = tuple[str, str, str, float | None]


def fill_inbox(settings: Settings) -> int:
    """All test images, one empty file and one that cannot be read; how many there are."""
    folder = settings.inbox_dir / DAY / CATEGORY
    folder.mkdir(parents=True)
    names = [path for path in sorted((SOURCE / "test").glob("*/*")) if path.is_file()]
    for path in names:
        shutil.copy2(path, folder / f"{path.parent.name}_{path.name}")
    (folder / "empty.jpg").touch()
    # root may read everything, so permissions would not do: the link's target is missing
    (folder / "unreadable.jpg").symlink_to(folder / "missing.jpg")
    old = time.time() - 3600
    os.utime(folder / "empty.jpg", (old, old))
    return len(names) + 2


def learn(home: Path) -> None:
    """A small model of the category in ``home``."""
    settings = Settings(home=home, threads=2, _env_file=None)
    good = settings.data_dir / CATEGORY / "train" / "good"
    good.mkdir(parents=True)
    images = sorted((SOURCE / "train" / "good").iterdir())
    for path in images[:: max(1, len(images) // TRAIN_IMAGES)]:
        shutil.copy2(path, good)
    tested = settings.data_dir / CATEGORY / "test" / "good"
    tested.mkdir(parents=True)
    for path in sorted((SOURCE / "test" / "good").iterdir())[:4]:
        shutil.copy2(path, tested)
    store = Store(settings)
    store.upgrade()
    rebuild_category(CATEGORY, settings, store)
    store.close()


def start_night(settings: Settings, log: Path) -> subprocess.Popen[bytes]:
    """The DAG run in a process group of its own."""
    environment = airflow_environment(settings)
    environment |= {"ANOMALYOS_THREADS": "1", "OMP_NUM_THREADS": "1", "ANOMALYOS_SHARD_SIZE": "100"}
    command = [sys.executable, "-m", "tests.dags.run_dag", "nightly_inspection", json.dumps({"date": DAY})]
    with log.open("ab") as output:
        return subprocess.Popen(
            command, env=environment, cwd=PROJECT_ROOT, stdout=output, stderr=output, start_new_session=True
        )


def rows(store: Store) -> list[Row]:
    with store.session(read_only=True) as session:
        found = session.exec(select(Inspection).order_by(Inspection.source))
        return [(row.source, row.content_sha256, row.verdict, row.score) for row in found]


def kill_ten_times(settings: Settings, store: Store, total: int, log: Path) -> list[int]:
    """Rows there were at each kill. The first falls before any work, the others all over the night."""
    chance = random.Random(11)
    at = [0, *sorted(chance.sample(range(1, total - 1), KILLS - 1))]
    seen = []
    for wanted in at:
        night = start_night(settings, log)
        deadline = time.monotonic() + NIGHT_SECONDS
        time.sleep(2 + 2 * chance.random() if wanted == 0 else 0)
        while wanted and len(rows(store)) < wanted:
            assert night.poll() is None, f"the night ended before {wanted} rows:\n{log.read_text()[-3000:]}"
            assert time.monotonic() < deadline, f"{wanted} rows never came"
            time.sleep(0.02)
        time.sleep(chance.random() * 0.1)
        os.killpg(night.pid, signal.SIGKILL)
        assert night.wait() == -signal.SIGKILL
        seen.append(len(rows(store)))
    return seen


def finish(night: subprocess.Popen[bytes], log: Path) -> None:
    assert night.wait(NIGHT_SECONDS) == 0, log.read_text()[-3000:]
    assert '"state": "success"' in log.read_text().splitlines()[-1], log.read_text()[-3000:]


def test_ten_kills_lose_and_double_nothing(tmp_path: Path, migrated_airflow: Path) -> None:
    quiet, killed = tmp_path / "quiet", tmp_path / "killed"
    learn(quiet)
    shutil.copytree(quiet, killed)
    homes = [Settings(home=home, _env_file=None) for home in (quiet, killed)]
    for settings in homes:
        airflow_environment(settings)
        shutil.copy(migrated_airflow, settings.airflow_home / "airflow.db")
        total = fill_inbox(settings)
    stores = [Store(settings) for settings in homes]
    # one core for the undisturbed night, the other for the one that is killed
    undisturbed = start_night(homes[0], tmp_path / "quiet.log")
    try:
        seen = kill_ten_times(homes[1], stores[1], total, tmp_path / "killed.log")
        assert len(seen) == KILLS
        assert seen == sorted(seen)
        finish(start_night(homes[1], tmp_path / "killed.log"), tmp_path / "killed.log")
        finish(undisturbed, tmp_path / "quiet.log")
    finally:
        undisturbed.kill()
    expected, found = rows(stores[0]), rows(stores[1])
    assert found == expected
    assert len(found) == total
    assert Counter(source for source, *_ in found).most_common(1)[0][1] == 1
    rejected = {Path(source).name: verdict for source, _, verdict, _ in found if verdict == "rejected"}
    assert rejected == {"empty.jpg": "rejected", "unreadable.jpg": "rejected"}
    with stores[1].session(read_only=True) as session:
        reasons = session.exec(select(Inspection.reject_reason).where(Inspection.verdict == "rejected"))
        assert all(reason for reason in reasons)
