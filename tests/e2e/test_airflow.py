"""`anomalyos up` from nothing to a reviewed night in a real Airflow, and back to nothing."""

from __future__ import annotations

import os
import signal
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import select

from anomalyos.nightly import batch_of_run
from anomalyos.settings import Settings
from anomalyos.store import models
from anomalyos.store.engine import Store
from anomalyos.store.tables import Inspection
from anomalyos.supervisor.leash import descendants
from tests.e2e.whole import Platform
from tests.products import picture, write_product
from tests.supervisor.trees import alive

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(900)]

FIRST, SECOND = "2026-11-22", "2026-11-23"


def drop(home: Path, day: str, name: str, data: bytes) -> None:
    path = home / "inbox" / day / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (time.time() - 60, time.time() - 60))


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    home = tmp_path_factory.mktemp("platform")
    write_product(home / "data", "stripes", good=2, flawed=2)
    drop(home, FIRST, "stripes/1.png", picture("stripes", 7000))
    platform = Platform(home)
    try:
        platform.wait_until_up()
        yield platform
    finally:
        if platform.process.poll() is None:
            platform.process.kill()


@pytest.fixture(scope="module")
def results(platform: Platform) -> Iterator[Store]:
    """A second pair of eyes on the platform's database."""
    store = Store(Settings(home=platform.home, database_url="", _env_file=None))
    yield store
    store.close()


def verdicts(store: Store, day: str) -> dict[str, str]:
    with store.session(read_only=True) as session:
        query = select(Inspection).where(Inspection.source.startswith(f"{day}/"))  # type: ignore[attr-defined]
        return {row.source: row.verdict for row in session.exec(query)}


def test_the_first_start_learns_and_inspects_what_is_there(platform: Platform, results: Store) -> None:
    with results.session(read_only=True) as session:
        assert models.champion(session, "stripes") is not None
    assert verdicts(results, FIRST) == {f"{FIRST}/stripes/1.png": "normal"}
    for user in ("admin", "engineer", "viewer"):
        assert platform.password(user) in platform.output
    assert len(platform.console_password()) >= 12


def test_no_secret_reaches_a_log(platform: Platform) -> None:
    secrets = [platform.password(user) for user in ("admin", "engineer", "viewer")]
    secrets.append(platform.console_password())
    secrets += [path.read_text().strip() for path in (platform.home / "secrets").iterdir() if path.is_file()]
    for log in (platform.home / "logs").iterdir():
        text = log.read_text(errors="replace")
        assert [log.name for secret in secrets if secret in text] == []


def test_the_console_is_a_page_in_airflow(platform: Platform) -> None:
    status, document = platform.call("/api/v2/plugins", token=platform.token("admin"))
    assert status == 200
    views = {
        view["destination"]: view
        for plugin in document["plugins"]
        if plugin["name"] == "anomalyos"
        for view in plugin["external_views"]
    }
    assert views["nav"]["href"] == f"http://localhost:{platform.console_port}/"
    assert views["nav"]["url_route"] == "anomalyos-console"
    assert views["dag_run"]["href"].endswith("/?run={RUN_ID}")


def test_a_night_triggered_over_rest(platform: Platform, results: Store) -> None:
    drop(platform.home, SECOND, "stripes/1.png", picture("stripes", 7001))
    drop(platform.home, SECOND, "stripes/2.png", picture("stripes", 7002, flawed=True))
    drop(platform.home, SECOND, "3.png", b"not an image")
    token = platform.token("engineer")
    run_id, state = platform.run_to_end("nightly_inspection", {"date": SECOND}, token)
    assert state == "success", (platform.home / "logs" / "airflow-scheduler.log").read_text()[-4000:]
    assert verdicts(results, SECOND) == {
        f"{SECOND}/3.png": "rejected",
        f"{SECOND}/stripes/1.png": "normal",
        f"{SECOND}/stripes/2.png": "anomalous",
    }
    assert batch_of_run(results, run_id) == f"night-{SECOND}"
    path = f"/api/v2/dags/nightly_inspection/dagRuns/{urllib.parse.quote(run_id)}/taskInstances/summary/links"
    links = platform.call(path, token=token)[1]["extra_links"]
    assert list(links.values()) == [f"http://localhost:{platform.console_port}/?batch=night-{SECOND}"]


def test_who_may_not_and_what_may_not(platform: Platform) -> None:
    runs = "/api/v2/dags/nightly_inspection/dagRuns"
    assert platform.call(runs, {"logical_date": None}, platform.token("viewer"))[0] == 403
    assert platform.call(runs, {"logical_date": None})[0] == 401
    wrong = {"logical_date": None, "conf": {"date": "../../etc"}}
    assert platform.call(runs, wrong, platform.token("engineer"))[0] == 400


def test_ctrl_c_leaves_no_process(platform: Platform) -> None:
    family = descendants(platform.process.pid)
    assert len(family) > 8
    platform.process.send_signal(signal.SIGINT)
    assert platform.process.wait(120) == 0
    assert [pid for pid in family if alive(pid)] == []
    assert "Everything has stopped." in platform.output
