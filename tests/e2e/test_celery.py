"""What docker-compose.yaml runs, as plain processes: PostgreSQL, Redis, a Celery worker, the console."""

from __future__ import annotations

import json
import os
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlmodel import col, select

from anomalyos.accounts import tokens, users
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.db.rows import stored_id
from anomalyos.drift import simulation
from anomalyos.drift.tables import DriftCheck
from anomalyos.inspection.tables import Inspection
from anomalyos.models import versions as model_versions
from anomalyos.ops.smoke import smoke
from tests.drift.drift_home import RULES, small_windows
from tests.e2e.composed import Composed
from tests.support import postgres
from tests.support.products import picture, write_product

NIGHT, QUIET, DRIFTED = "2026-11-23", "2026-11-24", "2026-11-25"
REASON = postgres.why_unavailable() or ("" if shutil.which("redis-server") else "needs redis-server")

pytestmark = [
    pytest.mark.airflow,
    pytest.mark.postgres,
    pytest.mark.timeout(900),
    pytest.mark.skipif(bool(REASON), reason=str(REASON)),
]


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composed]:
    home = tmp_path_factory.mktemp("composed")
    settings = Settings(home=home, _env_file=None)
    small_windows(settings, RULES.replace("threshold: 1.0", "threshold: 1.5"))
    write_product(home / "data", "stripes", good=2, flawed=2)
    for number, flawed in enumerate((False, True)):
        drop(home, NIGHT, number, picture("stripes", 7000 + number, flawed=flawed))
    with postgres.cluster() as url:
        make_database(url)
        composed = Composed(home, url, ANOMALYOS_INCLUDE_DIR=str(settings.include_dir))
        try:
            composed.start_redis()
            composed.run("migrate")
            for part in ("api-server", "scheduler", "dag-processor", "worker"):
                composed.start(f"airflow-{part}")
            composed.start("console")
            yield composed
        finally:
            composed.stop()


def drop(home: Path, day: str, number: int, data: bytes) -> None:
    path = home / "inbox" / day / "stripes" / f"{number}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (time.time() - 60, time.time() - 60))


def make_database(url: str) -> None:
    engine = create_engine(url.format(database="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE DATABASE anomalyos"))
    engine.dispose()


@pytest.fixture(scope="module")
def results(composed: Composed) -> Iterator[Store]:
    url = composed.environment("console")["ANOMALYOS_DATABASE_URL"]
    assert url.startswith("postgresql://")
    store = Store(Settings(home=composed.home, database_url=url, _env_file=None))
    yield store
    store.close()


def call(composed: Composed, path: str, body: dict[str, Any] | None = None, token: str = "") -> Any:
    """Airflow's answer; None while it gives none."""
    request = urllib.request.Request(f"http://127.0.0.1:{composed.airflow_port}{path}")
    request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    if body is not None:
        request.data = json.dumps(body).encode()
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return json.load(answer)
    except (urllib.error.URLError, ConnectionError):
        return None


@pytest.fixture(scope="module")
def token(composed: Composed) -> str:
    login = {"username": "engineer", "password": composed.values["AIRFLOW_ENGINEER_PASSWORD"]}
    found = composed.wait_for(lambda: call(composed, "/auth/token", login), "Airflow's web server", 180)
    return str(found["access_token"])


def run_to_end(composed: Composed, dag_id: str, conf: dict[str, Any], token: str) -> str:
    path = f"/api/v2/dags/{dag_id}"
    composed.wait_for(lambda: call(composed, path, token=token), f"the DAG {dag_id}", 120)
    body = {"logical_date": None, "conf": conf}
    run = composed.wait_for(lambda: call(composed, f"{path}/dagRuns", body, token), f"a run of {dag_id}", 60)
    return str(end_of(composed, dag_id, run["dag_run_id"], token)["state"])


def end_of(composed: Composed, dag_id: str, run_id: str, token: str) -> dict[str, Any]:
    """The run, once it has ended."""
    own = f"/api/v2/dags/{dag_id}/dagRuns/{urllib.parse.quote(run_id)}"

    def ended() -> dict[str, Any] | None:
        run: dict[str, Any] = call(composed, own, token=token) or {}
        return run if run.get("state") in {"success", "failed"} else None

    found: dict[str, Any] = composed.wait_for(ended, f"the end of {dag_id}", 300)
    return found


def runs(composed: Composed, dag_id: str, token: str) -> list[dict[str, Any]]:
    """All runs of a DAG, the newest first."""
    path = f"/api/v2/dags/{dag_id}/dagRuns?order_by=-run_after&limit=100"
    found: list[dict[str, Any]] = (call(composed, path, token=token) or {}).get("dag_runs", [])
    return found


def compared_after_night(composed: Composed, store: Store, day: str, token: str) -> tuple[str, int]:
    """Inspect a night; what the drift report that follows from it found, and how much was injected.

    Other nights have reports of their own: Airflow runs one at its first start.
    """
    assert run_to_end(composed, "nightly_inspection", {"date": day}, token) == "success"

    def found() -> DriftCheck | None:
        with store.session(read_only=True) as session:
            query = select(DriftCheck).where(DriftCheck.day == day).order_by(col(DriftCheck.id).desc())
            return session.exec(query).first()

    check: DriftCheck = composed.wait_for(found, f"the drift report of {day}", 240)
    return check.outcome, check.injected_count


def scheduled(composed: Composed, turns: int) -> None:
    """Wait until the scheduler has gone round some more times."""
    seen: set[str] = set()

    def beaten() -> bool:
        health = call(composed, "/api/v2/monitor/health") or {}
        seen.add(str(health.get("scheduler", {}).get("latest_scheduler_heartbeat")))
        return len(seen) > turns

    composed.wait_for(beaten, "the scheduler's next heartbeat", 120)


def test_a_product_is_learned_and_a_night_inspected_by_the_worker(
    composed: Composed, results: Store, token: str
) -> None:
    told = composed.log("airflow-worker")
    assert run_to_end(composed, "rebuild_indexes", {}, token) == "success", told.read_text()[-3000:]
    assert run_to_end(composed, "nightly_inspection", {"date": NIGHT}, token) == "success"
    with results.session(read_only=True) as session:
        champion = model_versions.champion(session, "stripes")
        rows = session.exec(select(Inspection).order_by(Inspection.source)).all()
    assert champion is not None
    assert champion.version == 1
    assert [row.verdict for row in rows] == ["normal", "anomalous"]
    assert {row.model_version_id for row in rows} == {champion.id}


def test_drift_starts_one_retraining_and_no_second_one(
    composed: Composed, results: Store, token: str
) -> None:
    """Night -> drift report -> retraining, each started by Airflow when the asset before it was updated."""
    for number in range(30):
        drop(composed.home, QUIET, number, picture("stripes", 8000 + number))
    assert compared_after_night(composed, results, QUIET, token) == ("stable", 0)
    assert runs(composed, "retrain", token) == []

    settings = Settings(home=composed.home, include_dir=composed.home / "include", _env_file=None)
    simulation.inject_drift("stripes", settings, results, actor="test", count=14)
    drop(composed.home, DRIFTED, 1, picture("stripes", 9000))
    assert compared_after_night(composed, results, DRIFTED, token) == ("drifted", 13)
    (run,) = composed.wait_for(lambda: runs(composed, "retrain", token), "a retraining", 120)
    assert run["dag_run_id"].startswith("asset_triggered")
    ended = end_of(composed, "retrain", run["dag_run_id"], token)
    assert ended["state"] == "success"
    # Airflow's public address leads nowhere in this test, so the words stand in the task's log only
    logs = (composed.home / "airflow" / "logs" / "dag_id=retrain").rglob("*task_id=summary*/*.log")
    said = "".join(log.read_text() for log in logs)
    assert "Started by drift of stripes: " in said
    assert "13 of the records were injected." in said

    assert run_to_end(composed, "drift_report", {}, token) == "success"
    report = runs(composed, "drift_report", token)[0]
    path = f"/api/v2/dags/drift_report/dagRuns/{urllib.parse.quote(report['dag_run_id'])}/taskInstances"
    tasks = call(composed, path, token=token)["task_instances"]
    states = {task["task_id"]: task["state"] for task in tasks}
    assert (states["summary"], states["announce"]) == ("success", "skipped")
    scheduled(composed, turns=3)  # in which a second retraining would have come
    assert len(runs(composed, "retrain", token)) == 1


def test_queue_and_metadata_are_where_the_file_says(composed: Composed) -> None:
    engine = create_engine(composed.database.format(database="airflow"))
    with engine.connect() as connection:
        runs = connection.scalars(text("SELECT dag_id FROM dag_run WHERE state = 'success'")).all()
        finished = connection.scalars(text("SELECT status FROM celery_taskmeta")).all()
    engine.dispose()
    assert {"rebuild_indexes", "nightly_inspection"} <= set(runs)
    # discover, check, rebuild, index_cases, summary; discover, check, inspect, summary
    assert finished.count("SUCCESS") >= 9
    assert not (composed.home / "airflow" / "airflow.db").exists()
    assert not (composed.home / "anomalyos.db").exists()


def test_the_console_serves_the_promoted_model(composed: Composed, results: Store) -> None:
    with results.session() as session:
        admin = users.by_name(session, "admin")
        assert users.authenticate(session, "admin", composed.values["CONSOLE_ADMIN_PASSWORD"]) is not None
        _, secret = tokens.create(
            session,
            user_id=stored_id(admin.id),
            name="smoke",
            scopes=["inspect", "read"],
            expires_in_days=1,
            actor="test",
        )
    address = f"http://127.0.0.1:{composed.console_port}"
    checks = smoke(address, token=secret, wait_s=120, image=picture("stripes", 7002))
    assert [check.name for check in checks if not check.passed] == [], checks
    with results.session(read_only=True) as session:
        newest = session.exec(select(Inspection).order_by(col(Inspection.id).desc())).first()
    assert newest is not None
    assert (newest.verdict, newest.routed_category) == ("normal", "stripes")


def test_no_secret_reaches_a_log_and_everything_stops(composed: Composed) -> None:
    for log in composed.home.glob("*.log"):
        said = log.read_text(errors="replace")
        shown = [name for name, value in composed.values.items() if len(value) > 30 and value in said]
        assert shown == [], log.name
    assert composed.stop() == []
    assert [name for name, process in composed.processes.items() if process.poll() is None] == []
