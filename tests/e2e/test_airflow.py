"""`anomalyos up` from nothing to a reviewed night in a real Airflow, and back to nothing."""

from __future__ import annotations

import os
import signal
import time
import urllib.parse
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import httpx
import pytest
from selenium.webdriver.common.by import By
from sqlmodel import col, select

from anomalyos.accounts import audit, tokens, users
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.db.rows import stored_id
from anomalyos.inspection.nightly import batch_of_run
from anomalyos.inspection.tables import Inspection
from anomalyos.models import versions as model_versions
from anomalyos.ops.supervisor.reaper import descendants
from tests.e2e.browser import Browser, needs_browser
from tests.e2e.whole import Platform
from tests.ops.supervisor.trees import alive
from tests.support.products import picture, write_product

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(900)]

FIRST, SECOND = "2026-11-22", "2026-11-23"
PARTS = count(9500)
"""Numbers of pictures nobody has seen yet."""


def drop(home: Path, day: str, name: str, data: bytes) -> None:
    path = home / "inbox" / day / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (time.time() - 60, time.time() - 60))


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The whole platform on SQLite; ``test_celery.py`` has the one on PostgreSQL."""
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
    store = Store(Settings(home=platform.home, _env_file=None))
    yield store
    store.close()


def verdicts(store: Store, day: str) -> dict[str, str]:
    with store.session(read_only=True) as session:
        query = select(Inspection).where(col(Inspection.source).startswith(f"{day}/"))
        return {row.source: row.verdict for row in session.exec(query)}


def test_the_first_start_learns_and_inspects_what_is_there(platform: Platform, results: Store) -> None:
    with results.session(read_only=True) as session:
        assert model_versions.champion(session, "stripes") is not None
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


@needs_browser
def test_retraining_from_airflows_form_and_from_the_console(
    platform: Platform, results: Store, tmp_path: Path
) -> None:
    """A challenger each, promoted by the gate, used by the running console at once."""
    api_token = console_token(results)
    browser = Browser(tmp_path / "profile", f"http://localhost:{platform.airflow_port}")
    try:
        first = trigger_in_airflow(browser, platform)
        run_to_end(platform, first)
        assert in_use(results) == 2
        assert inspected_with(platform, results, api_token) == 2
        note = platform.call(run_path(first), token=platform.token("engineer"))[1]["note"]
        assert note.startswith("stripes v2 inspects now. Image AUROC 1.0000 against the champion's 1.0000")
        browser.open(f"/dags/retrain/runs/{urllib.parse.quote(first)}")
        browser.see("stripes v2 inspects now.")
        browser.picture("airflow-retrain-run")

        browser.errors()  # what Airflow's own pages complain about is not ours
        browser.base = f"http://localhost:{platform.console_port}"
        retrain_in_console(browser, platform)
        assert in_use(results) == 3
        assert inspected_with(platform, results, api_token) == 3
    finally:
        browser.driver.quit()
    with results.session(read_only=True) as session:
        assert [event.actor for event in audit.recent(session, action="model.retrain")] == ["admin"]


def trigger_in_airflow(browser: Browser, platform: Platform) -> str:
    """Through the form of Airflow's own pages, as an engineer; the run's id."""
    browser.open("/")
    browser.fill("[name=username]", "engineer")
    browser.fill("[name=password]", platform.password("engineer") + "\n")
    browser.wait(lambda: "/auth/login" not in browser.driver.current_url)
    browser.open("/dags/retrain")
    browser.find("[data-testid=trigger-dag-button]").click()
    browser.fill("input[name=element_coreset_ratio]", "0.5")
    browser.script("document.querySelector('input[name=element_force]').click()")
    browser.picture("airflow-retrain-form")
    runs = "/api/v2/dags/retrain/dagRuns"
    token = platform.token("engineer")
    browser.script("document.querySelector('[data-testid=trigger-dag-submit]').click()")
    found = platform.wait_for(lambda: platform.call(runs, token=token)[1]["dag_runs"], "a run of retrain", 60)
    assert found[0]["conf"]["coreset_ratio"] == 0.5
    assert found[0]["conf"]["force"] is True
    return str(found[0]["dag_run_id"])


def run_path(run_id: str) -> str:
    return f"/api/v2/dags/retrain/dagRuns/{urllib.parse.quote(run_id)}"


def run_to_end(platform: Platform, run_id: str) -> None:
    state = platform.end_of("retrain", run_id, platform.token("engineer"))
    assert state == "success", (platform.home / "logs" / "airflow-scheduler.log").read_text()[-4000:]


def retrain_in_console(browser: Browser, platform: Platform) -> None:
    browser.open("/login")
    browser.fill("#login-name", "admin")
    browser.fill("#login-password", platform.console_password() + "\n")
    browser.find(".aos-rail")
    browser.open("/admin/retraining?product=stripes")
    browser.see("stripes v2 inspects now.")
    browser.loaded()
    path = "//*[@role='switch'][contains(., 'Build even')]"
    browser.driver.find_element(By.XPATH, path).click()
    browser.driver.find_element(By.XPATH, "//button[contains(., 'Start retraining')]").click()
    browser.see("Airflow has taken it on.")
    browser.picture("console-retraining-running")
    browser.see("stripes v3 inspects now.")
    browser.picture("console-retraining-done")
    assert browser.errors() == []


def in_use(store: Store) -> int:
    with store.session(read_only=True) as session:
        version = model_versions.champion(session, "stripes")
    assert version is not None
    return version.version


def console_token(store: Store) -> str:
    with store.session() as session:
        admin = users.by_name(session, "admin")
        _, token = tokens.create(
            session,
            user_id=stored_id(admin.id),
            name="test",
            scopes=["inspect", "read"],
            expires_in_days=1,
            actor="test",
        )
    return token


def inspected_with(platform: Platform, results: Store, token: str) -> int:
    """Number of the version the running console inspects with now."""
    answer = httpx.post(
        f"http://localhost:{platform.console_port}/inspect",
        headers={"Authorization": f"Bearer {token}"},
        files={"file": ("part.png", picture("stripes", next(PARTS)))},
        data={"category": "stripes"},
        timeout=60,
    )
    assert answer.status_code == 200, answer.text
    with results.session(read_only=True) as session:
        row = session.get(Inspection, answer.json()["id"])
        assert row is not None
        assert row.model_version_id is not None
        return model_versions.get(session, row.model_version_id).version


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
