from __future__ import annotations

import os
import time
from pathlib import Path

from sqlmodel import select

from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.inspection.tables import Inspection
from tests.dags.conftest import RunDag
from tests.support.products import picture

DAY = "2026-11-23"
FAKES = "tests.dags.fakes"


def drop(settings: Settings, name: str, data: bytes) -> Path:
    path = settings.inbox_dir / DAY / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (time.time() - 60, time.time() - 60))
    return path


def rows(store: Store) -> list[tuple[str, str]]:
    with store.session(read_only=True) as session:
        found = session.exec(select(Inspection).order_by(Inspection.source))
        return [(row.source.removeprefix(f"{DAY}/"), row.verdict) for row in found]


def test_a_night_with_the_real_model(settings: Settings, built: Store, run_dag: RunDag) -> None:
    drop(settings, "stripes/1.png", picture("stripes", 7000))
    drop(settings, "stripes/2.png", picture("stripes", 7001, flawed=True))
    drop(settings, "stripes/3.png", b"")
    drop(settings, "4.png", picture("stripes", 7002))
    result = run_dag("nightly_inspection", {"date": DAY})
    assert result["state"] == "success", result["log"][-3000:]
    assert result["tasks"] == [
        ["check", -1, "success", None],
        ["discover", -1, "success", None],
        ["inspect", 0, "success", "to be routed: 4.png"],
        ["inspect", 1, "success", "stripes: 1.png … 3.png"],
        ["summary", -1, "success", None],
    ]
    assert result["links"] == [f"http://localhost:7860/?batch=night-{DAY}"]
    expected = [("4.png", "normal"), ("stripes/1.png", "normal")]
    expected += [("stripes/2.png", "anomalous"), ("stripes/3.png", "rejected")]
    assert rows(built) == expected


def test_a_failed_shard_fails_the_run_and_the_next_run_completes_it(
    settings: Settings, store: Store, run_dag: RunDag
) -> None:
    drop(settings, "nut/1.png", b"good")
    broken = drop(settings, "cap/1.png", b"crash")
    result = run_dag("nightly_inspection", {"date": DAY}, FAKES)
    assert result["state"] == "failed"
    assert [task[:3] for task in result["tasks"]] == [
        ["check", -1, "success"],
        ["discover", -1, "success"],
        ["inspect", 0, "failed"],
        ["inspect", 1, "success"],
        ["summary", -1, "failed"],
    ]
    assert "nightly_inspection inspect[0] of run" in result["log"]
    assert "1 shards failed, 1 of 2 files have no result" in result["log"]
    assert rows(store) == [("nut/1.png", "normal")]
    broken.write_bytes(b"good")
    os.utime(broken, (time.time() - 60, time.time() - 60))
    assert run_dag("nightly_inspection", {"date": DAY}, FAKES)["state"] == "success"
    assert rows(store) == [("cap/1.png", "normal"), ("nut/1.png", "normal")]


def test_an_empty_night_succeeds(store: Store, run_dag: RunDag) -> None:
    result = run_dag("nightly_inspection", {"date": DAY}, FAKES)
    assert result["state"] == "success"
    assert ["inspect", -1, "skipped", None] in result["tasks"]


def test_a_stopped_product_is_not_inspected_and_the_run_says_why(
    settings: Settings, store: Store, run_dag: RunDag, environment: dict[str, str], tmp_path: Path
) -> None:
    suites = tmp_path / "include" / "expectations"
    suites.mkdir(parents=True)
    (suites / "nut.yaml").write_text("rules: {decodable: {night: stop}}")
    (suites / "cap.yaml").write_text("rules: {nonsense: {night: stop}}")
    environment["ANOMALYOS_INCLUDE_DIR"] = str(suites.parent)
    drop(settings, "nut/1.png", b"no picture")
    drop(settings, "cap/1.png", b"good")
    result = run_dag("nightly_inspection", {"date": DAY}, FAKES)
    assert result["state"] == "failed"
    # a suite that cannot be read keeps nobody from inspecting
    assert rows(store) == [("cap/1.png", "normal")]
    assert "Stopped by its data check: nut: Can be decoded: nut/1.png." in result["log"]
