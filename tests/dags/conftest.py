"""An Airflow of its own for each test."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from anomalyos.core.settings import PROJECT_ROOT, Settings
from anomalyos.ops.supervisor.airflow_env import airflow_environment

RunDag = Callable[..., dict[str, Any]]


@pytest.fixture
def environment(settings: Settings, migrated_airflow: Path) -> dict[str, str]:
    """For a process that imports Airflow on this test's home."""
    values = airflow_environment(settings)
    shutil.copy(migrated_airflow, settings.airflow_home / "airflow.db")
    return values


@pytest.fixture
def run_dag(environment: dict[str, str]) -> RunDag:
    """Run a DAG to its end: ``run_dag("nightly_inspection", {"date": ...}, "tests.dags.fakes")``."""

    def run(dag_id: str, conf: dict[str, Any], *fakes: str) -> dict[str, Any]:
        command = [sys.executable, "-m", "tests.dags.run_dag", dag_id, json.dumps(conf), *fakes]
        done = subprocess.run(command, env=environment, cwd=PROJECT_ROOT, capture_output=True, text=True)
        marked = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
        assert marked, done.stdout[-3000:] + done.stderr[-3000:]
        result: dict[str, Any] = json.loads(marked[-1].removeprefix("RESULT "))
        return {**result, "log": done.stdout + done.stderr}

    return run
