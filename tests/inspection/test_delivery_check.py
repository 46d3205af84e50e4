"""A night's delivery is checked, said to be odd, and inspected nevertheless."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from sqlmodel import select

from anomalyos.core.settings import PROJECT_ROOT, Settings
from anomalyos.db.engine import Store
from anomalyos.inspection import delivery_check as night_check
from anomalyos.inspection import nightly
from anomalyos.inspection.nightly import NightFailed, run_night
from anomalyos.inspection.tables import Inspection
from anomalyos.quality import data_checks
from anomalyos.quality.data_check import check_category
from anomalyos.quality.tables import DataCheck
from tests.dags.fakes import FakeInspector
from tests.quality.suites import VIOLATIONS, brighter, write_suite
from tests.support.products import picture, write_product

DAY = "2026-11-24"


@pytest.fixture(autouse=True)
def inspector(settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch) -> FakeInspector:
    fake = FakeInspector(settings, store)
    monkeypatch.setattr(nightly, "_inspector", lambda settings, store: fake)
    return fake


def drop(settings: Settings, name: str, data: bytes) -> None:
    path = settings.inbox_dir / DAY / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (time.time() - 60, time.time() - 60))


def checks(store: Store) -> dict[str, DataCheck]:
    with store.session(read_only=True) as session:
        return {row.category: row for row in data_checks.of_batch(session, f"night-{DAY}")}


def sources(store: Store) -> list[str]:
    with store.session(read_only=True) as session:
        return sorted(session.exec(select(Inspection.source)))


def test_every_part_of_an_odd_night_is_inspected(settings: Settings, store: Store) -> None:
    write_product(settings.data_dir, "dots", good=0, flawed=0)
    check_category("dots", settings, store)
    for name, (data, _, _) in VIOLATIONS.items():
        drop(settings, f"dots/{name}.png", data)
    drop(settings, "dots/a0.png", picture("dots", 0))
    drop(settings, "dots/a1.png", brighter(0))
    summary = run_night(settings, store, DAY)
    assert (summary["total"], summary["finished"]) == (9, True)
    check = checks(store)["dots"]
    assert (check.outcome, check.images) == ("warned", 9)
    said = {finding["file"]: finding["rules"] for finding in check.findings}
    assert "brightness" in said["dots/black.png"]
    assert "brightness" in said["dots/dazzled.png"]
    assert "sharpness" in said["dots/blurred.png"]
    assert said["dots/truncated.png"] == ["decodable"]
    assert "duplicates" in said["dots/zz_copy.png"]
    assert said["dots/a1.png"] == ["near_duplicates"]
    assert {finding["severity"] for finding in check.findings} == {"warn"}


def test_without_a_learned_product_nothing_is_usual_yet(settings: Settings, store: Store) -> None:
    drop(settings, "dots/dazzled.png", VIOLATIONS["dazzled"][0])
    drop(settings, "blurred.png", VIOLATIONS["blurred"][0])
    run_night(settings, store, DAY)
    assert {name: check.outcome for name, check in checks(store).items()} == {"": "passed", "dots": "passed"}


def test_a_suite_that_says_stop_holds_back_its_product_alone(settings: Settings, store: Store) -> None:
    write_suite(settings, "dots", "brightness: {night: warn, night_stop_above: 0.4}")
    drop(settings, "dots/1.png", VIOLATIONS["black"][0])
    drop(settings, "dots/2.png", picture("dots", 2))
    drop(settings, "stripes/1.png", picture("stripes", 1))
    with pytest.raises(NightFailed, match="Stopped by its data check: dots: Brightness: 50%"):
        run_night(settings, store, DAY)
    assert sources(store) == [f"{DAY}/stripes/1.png"]
    with store.session() as session:
        check_id = checks(store)["dots"].id or 0
        data_checks.let_go_on(session, check_id, actor="erik", note="the lamp is known to be out")
    assert run_night(settings, store, DAY)["total"] == 3


def test_a_check_that_fails_stops_nobody_and_is_kept(settings: Settings, store: Store) -> None:
    write_suite(settings, "dots", "nonsense: {night: stop}")
    drop(settings, "dots/1.png", picture("dots", 1))
    for _ in range(2):
        assert run_night(settings, store, DAY)["total"] == 1
    check = checks(store)["dots"]
    assert check.outcome == "failed"
    assert "nonsense" in check.reason
    write_suite(settings, "dots", "mode: {night: warn}")
    run_night(settings, store, DAY)
    assert checks(store)["dots"].outcome == "passed"


def test_a_second_run_asks_nothing_and_more_files_are_asked_about(
    settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(settings, "dots/1.png", picture("dots", 1))
    run_night(settings, store, DAY)
    first = checks(store)["dots"]
    with monkeypatch.context() as patch:
        patch.setattr(night_check, "_answer", lambda *_: pytest.fail("asked again"))
        run_night(settings, store, DAY)
    assert checks(store)["dots"].id == first.id
    drop(settings, "dots/2.png", picture("dots", 2))
    run_night(settings, store, DAY)
    assert checks(store)["dots"].images == 2


def test_a_night_with_nothing_to_check_imports_nothing_heavy(settings: Settings, store: Store) -> None:
    program = f"""
import sys
from anomalyos.inspection.nightly import run_night
from anomalyos.core.settings import get_settings
from anomalyos.db.engine import open_store
print(run_night(get_settings(), open_store(get_settings()), "{DAY}")["finished"])
print([name for name in ("great_expectations", "pandas", "torch") if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-2:] == ["True", "[]"]
