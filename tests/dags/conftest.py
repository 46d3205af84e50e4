"""An Airflow of its own for each test."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from anomalyos.core.settings import Settings
from anomalyos.ops.supervisor.airflow_env import airflow_environment
from tests.dags.runner import DagServer

RunDag = Callable[..., dict[str, Any]]


@pytest.fixture
def environment(settings: Settings, migrated_airflow: Path) -> dict[str, str]:
    """For a process that imports Airflow on this test's home."""
    values = airflow_environment(settings)
    shutil.copy(migrated_airflow, settings.airflow_home / "airflow.db")
    return values


@pytest.fixture
def run_dag(environment: dict[str, str], dag_server: DagServer, settings: Settings) -> RunDag:
    """Run a DAG to its end: ``run_dag("nightly_inspection", {"date": ...}, "tests.dags.fakes")``."""
    log = settings.home / "run.log"

    def run(dag_id: str, conf: dict[str, Any], *fakes: str) -> dict[str, Any]:
        log.unlink(missing_ok=True)
        started = dag_server.start(dag_id, conf, environment, log, fakes=fakes)
        assert started.wait() >= 0, log.read_text()[-3000:]
        assert started.result_file.is_file(), log.read_text()[-3000:]
        return {**started.result(), "log": log.read_text()}

    return run
