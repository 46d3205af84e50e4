from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.settings import PROJECT_ROOT, Settings
from anomalyos.db.engine import Store
from anomalyos.inspection import nightly, reading
from anomalyos.inspection.nightly import NightFailed, discover, inspect_shard, run_night, summarise
from anomalyos.inspection.nights import night_of
from anomalyos.inspection.shard_work import FAILURES_IN_A_ROW
from anomalyos.inspection.shards import parts
from anomalyos.inspection.tables import Inspection
from tests.dags.fakes import FakeInspector

DAY = "2026-11-24"


@pytest.fixture
def inspector(settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch) -> FakeInspector:
    fake = FakeInspector(settings, store)
    monkeypatch.setattr(nightly, "_inspector", lambda settings, store: fake)
    return fake


def drop(settings: Settings, name: str, data: bytes = b"good") -> Path:
    path = settings.inbox_dir / DAY / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (time.time() - 60, time.time() - 60))
    return path


def rows(store: Store) -> list[Inspection]:
    with store.session() as session:
        return list(session.exec(select(Inspection).order_by(Inspection.source)))


def test_discover_cuts_shards_by_category(settings: Settings, store: Store) -> None:
    settings.shard_size = 2
    for name in ("a.png", "nut/1.png", "nut/2.png", "nut/3.png"):
        drop(settings, name)
    shards = discover(settings, store, DAY, run_id="run-1")
    assert [(shard["category"], shard["paths"]) for shard in shards] == [
        (None, ["a.png"]),
        ("nut", ["nut/1.png", "nut/2.png"]),
        ("nut", ["nut/3.png"]),
    ]
    assert {(shard["batch_key"], shard["day"]) for shard in shards} == {(f"night-{DAY}", DAY)}
    assert json.loads(json.dumps(shards)) == shards


@given(st.integers(0, 40), st.integers(1, 7))
def test_parts_lose_and_double_nothing(count: int, size: int) -> None:
    paths = [str(number) for number in range(count)]
    found = list(parts(paths, size))
    assert [path for part in found for path in part] == paths
    assert all(1 <= len(part) <= size for part in found)


def test_a_night_from_files_to_summary(settings: Settings, store: Store, inspector: FakeInspector) -> None:
    drop(settings, "nut/1.png", b"good")
    drop(settings, "nut/2.png", b"bad")
    drop(settings, "nut/3.png", b"")
    summary = run_night(settings, store, DAY)
    assert summary["now"] == {"normal": 1, "anomalous": 1, "rejected": 1}
    assert (summary["total"], summary["expected"], summary["undecided"]) == (3, 3, 1)
    assert summary["finished"] is True
    assert {row.given_category for row in rows(store)} == {"nut"}


def test_the_second_run_inspects_nothing_and_adds_nothing(
    settings: Settings, store: Store, inspector: FakeInspector
) -> None:
    for number in range(5):
        drop(settings, f"{number}.png", bytes([number]))
    run_night(settings, store, DAY)
    calls = inspector.calls
    before = [(row.id, row.work_key) for row in rows(store)]
    summary = run_night(settings, store, DAY)
    assert inspector.calls == calls
    assert summary["now"] == {"skipped": 5}
    assert [(row.id, row.work_key) for row in rows(store)] == before


def test_the_same_content_under_two_names_is_two_rows(
    settings: Settings, store: Store, inspector: FakeInspector
) -> None:
    drop(settings, "1.png", b"same")
    drop(settings, "2.png", b"same")
    assert run_night(settings, store, DAY)["total"] == 2


def test_a_replaced_file_is_inspected_again(
    settings: Settings, store: Store, inspector: FakeInspector
) -> None:
    drop(settings, "1.png", b"one")
    run_night(settings, store, DAY)
    drop(settings, "1.png", b"another")
    assert run_night(settings, store, DAY)["now"] == {"normal": 1}
    assert len(rows(store)) == 2


def test_images_that_arrive_later_reopen_the_night(
    settings: Settings, store: Store, inspector: FakeInspector
) -> None:
    drop(settings, "1.png", b"one")
    run_night(settings, store, DAY)
    drop(settings, "2.png", b"crash")
    with pytest.raises(NightFailed):
        run_night(settings, store, DAY)
    drop(settings, "2.png", b"two")
    summary = run_night(settings, store, DAY)
    assert (summary["total"], summary["expected"], summary["finished"]) == (2, 2, True)


def test_a_tidied_inbox_keeps_its_rows(settings: Settings, store: Store, inspector: FakeInspector) -> None:
    path = drop(settings, "1.png", b"one")
    shards = discover(settings, store, DAY)
    inspect_shard(shards[0], settings, store)
    path.unlink()
    assert inspect_shard(shards[0], settings, store) == {"skipped": 1}
    summary = run_night(settings, store, DAY)
    assert (summary["total"], summary["expected"]) == (1, 1)
    assert [row.verdict for row in rows(store)] == ["normal"]


def test_a_file_that_vanished_before_it_was_read_is_rejected_with_a_reason(
    settings: Settings, store: Store, inspector: FakeInspector
) -> None:
    path = drop(settings, "1.png", b"one")
    drop(settings, "2.png", b"two")
    shards = discover(settings, store, DAY)
    path.unlink()
    assert inspect_shard(shards[0], settings, store) == {"rejected": 1, "normal": 1}
    rejected = rows(store)[0]
    assert (rejected.reject_code, rejected.content_sha256) == ("unreadable", "")
    assert "gone" in rejected.reject_reason
    assert summarise(settings, store, DAY)["finished"] is True


def test_a_disk_error_rejects_the_file_and_the_others_go_on(
    settings: Settings, store: Store, inspector: FakeInspector, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("1.png", "2.png", "3.png"):
        drop(settings, name, name.encode())
    original = Path.open

    def failing(self: Path, *args: Any, **kwargs: Any) -> Any:
        if self.name == "2.png":
            raise PermissionError(13, "Permission denied")
        return original(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", failing)
    assert run_night(settings, store, DAY)["now"] == {"normal": 2, "rejected": 1}
    assert "Permission denied" in rows(store)[1].reject_reason


def test_no_more_than_the_limit_is_read(settings: Settings, store: Store) -> None:
    path = drop(settings, "big.png", b"x" * 5000)
    assert len(reading.read_limited(path, 1024)) == 1025


def test_one_crash_fails_the_shard_after_the_others_are_done(
    settings: Settings, store: Store, inspector: FakeInspector
) -> None:
    for name, data in (("1.png", b"one"), ("2.png", b"crash"), ("3.png", b"three")):
        drop(settings, name, data)
    shards = discover(settings, store, DAY)
    with pytest.raises(NightFailed, match="the model fell over"):
        inspect_shard(shards[0], settings, store)
    assert [row.source for row in rows(store)] == [f"{DAY}/1.png", f"{DAY}/3.png"]
    with pytest.raises(NightFailed, match="1 of 3 files"):
        summarise(settings, store, DAY, failed_shards=1)


def test_a_shard_gives_up_when_everything_fails(
    settings: Settings, store: Store, inspector: FakeInspector
) -> None:
    for number in range(20):
        drop(settings, f"{number:02}.png", b"crash")
    with pytest.raises(NightFailed):
        inspect_shard(discover(settings, store, DAY)[0], settings, store)
    assert inspector.calls == FAILURES_IN_A_ROW


def test_summary_fails_while_files_are_without_a_row(
    settings: Settings, store: Store, inspector: FakeInspector
) -> None:
    drop(settings, "1.png")
    discover(settings, store, DAY)
    with pytest.raises(NightFailed, match="1 of 1 files have no result"):
        summarise(settings, store, DAY)


def test_an_empty_night_is_finished(settings: Settings, store: Store, inspector: FakeInspector) -> None:
    summary = run_night(settings, store, DAY)
    assert (summary["total"], summary["expected"], summary["finished"]) == (0, 0, True)


def test_a_shard_cannot_name_files_outside_the_inbox(
    settings: Settings, store: Store, inspector: FakeInspector
) -> None:
    shard = {"batch_key": "x", "day": DAY, "category": None, "paths": ["../../secrets/session"]}
    with pytest.raises(NightFailed, match="leads out of the inbox"):
        inspect_shard(shard, settings, store)
    assert rows(store) == []


@pytest.mark.parametrize("day", ["", "yesterday", "2026-13-01", "../../etc", "2026-1-1", "20261124"])
def test_what_is_no_date_is_refused(settings: Settings, store: Store, day: str) -> None:
    with pytest.raises(AnomalyOSError, match="not a date"):
        discover(settings, store, day)


def test_which_night_a_run_means() -> None:
    moment = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
    assert night_of(None, moment, scheduled=True) == "2026-11-24"
    assert night_of(None, moment, scheduled=False) == "2026-11-25"
    assert night_of("2026-01-02", moment, scheduled=True) == "2026-01-02"


def test_every_run_leads_to_its_batch(settings: Settings, store: Store) -> None:
    discover(settings, store, DAY, run_id="first")
    discover(settings, store, DAY, run_id="second")
    discover(settings, store, DAY, run_id="second")
    assert nightly.batch_of_run(store, "first") == f"night-{DAY}"
    assert nightly.batch_of_run(store, "second") == f"night-{DAY}"
    assert nightly.batch_of_run(store, "unknown") is None


NIGHT_IN_A_PROCESS = """
import sys, time
from tests.dags import fakes
fakes.install_inspector()
original = fakes.FakeInspector.examine_many
def slow(self, images, *args, **kwargs):
    time.sleep(0.01 * len(images))
    return original(self, images, *args, **kwargs)
fakes.FakeInspector.examine_many = slow
from anomalyos.inspection.nightly import discover, run_night
from anomalyos.inspection.delivery_check import check_shards
from anomalyos.core.settings import get_settings
from anomalyos.db.engine import open_store
# the import of what checks takes longer than the kills wait: they are meant for the inspection
shards = discover(get_settings(), open_store(get_settings()), sys.argv[1])
check_shards(get_settings(), open_store(get_settings()), shards)
print("started", flush=True)
run_night(get_settings(), open_store(get_settings()), sys.argv[1])
"""


def test_killed_with_sigkill_again_and_again_loses_and_doubles_nothing(
    settings: Settings, store: Store
) -> None:
    settings.shard_size = 7
    names = [f"{number:03}.png" for number in range(60)]
    for name in names:
        drop(settings, name, name.encode())
    environment = {**os.environ, "ANOMALYOS_HOME": str(settings.home), "ANOMALYOS_SHARD_SIZE": "7"}
    command = [sys.executable, "-c", NIGHT_IN_A_PROCESS, DAY]
    moments = random.Random(7)
    killed = 0
    for _ in range(6):
        process = subprocess.Popen(command, env=environment, cwd=PROJECT_ROOT, stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(moments.uniform(0.05, 0.3))
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
        process.stdout.close()
    assert killed >= 2
    subprocess.run(command, env=environment, cwd=PROJECT_ROOT, check=True, stdout=subprocess.DEVNULL)
    counts = Counter(row.source for row in rows(store))
    assert counts == Counter(f"{DAY}/{name}" for name in names)
