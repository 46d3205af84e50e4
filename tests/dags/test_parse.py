"""The DAG files as Airflow sees them: they parse, quickly, and explain themselves in its pages."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import Any

import pytest

from anomalyos.core.forms import AS_SET
from anomalyos.core.settings import PROJECT_ROOT
from anomalyos.learning.options import RebuildOptions, RetrainingOptions
from anomalyos.ops.supervisor.airflow_setup import pools_file

HEAVY = ("torch", "timm", "faiss", "torchvision", "skimage", "sklearn", "cv2", "shap", "mlflow", "evidently")

PARSE = f"""
import json, sys
from airflow.dag_processing.dagbag import DagBag
before = set(sys.modules)
bag = DagBag(dag_folder={str(PROJECT_ROOT / "dags")!r})
def facts(dag):
    return {{
        "doc": dag.doc_md or "",
        "tags": sorted(dag.tags),
        "max_active_runs": dag.max_active_runs,
        "timeout": dag.dagrun_timeout is not None,
        "params": {{name: dag.params.get_param(name).schema for name in dag.params}},
        "defaults": {{name: dag.params.get_param(name).value for name in dag.params}},
        "timetable": dag.timetable.__class__.__name__,
        "tasks": {{
            task.task_id: {{
                "owner": task.owner,
                "timeout": task.execution_timeout is not None,
                "callbacks": bool(task.on_failure_callback),
                "retries": task.retries,
                "backoff": bool(task.retry_exponential_backoff),
                "rule": task.trigger_rule.value,
                "minutes": task.execution_timeout.total_seconds() / 60 if task.execution_timeout else 0,
                "pool": task.pool,
                "doc": task.doc_md or "",
            }}
            for task in dag.tasks
        }},
    }}
print(json.dumps({{
    "errors": bag.import_errors,
    "dags": {{name: facts(dag) for name, dag in bag.dags.items()}},
    "heavy": sorted({{name.partition(".")[0] for name in sys.modules}} & set({HEAVY!r})),
}}))
"""


@pytest.fixture
def parsed(environment: dict[str, str]) -> dict[str, Any]:
    command = [sys.executable, "-c", PARSE]
    done = subprocess.run(command, env=environment, cwd=PROJECT_ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return document


REQUIRED = {
    "nightly_inspection",
    "rebuild_indexes",
    "retrain",
    "evaluate_retrieval",
    "drift_report",
    "maintenance",
}
LONG_MINUTES = 60


def test_the_dags_parse_light_and_explain_themselves(parsed: dict[str, Any]) -> None:
    assert parsed["errors"] == {}
    assert parsed["heavy"] == []
    assert set(parsed["dags"]) >= REQUIRED
    files = [path for path in (PROJECT_ROOT / "dags").glob("*.py") if not path.name.startswith("_")]
    assert len(parsed["dags"]) == len(files)
    pools = json.loads(pools_file().read_text())
    for name, dag in parsed["dags"].items():
        assert len(dag["doc"]) > 300, name
        assert dag["tags"], name
        assert dag["max_active_runs"] == 1, name
        assert dag["timeout"], name
        tried_again = 0
        for task_id, task in dag["tasks"].items():
            where = f"{name}.{task_id}"
            assert task["owner"] != "airflow", where
            assert task["timeout"], where
            assert task["callbacks"], where
            assert task["doc"], where
            assert task["pool"] in {*pools, "default_pool"}, where
            # what works for an hour takes one of the few places for such work
            assert task["minutes"] < LONG_MINUTES or task["pool"] in pools, where
            assert not task["retries"] or task["backoff"], where
            tried_again += bool(task["retries"])
            if task_id == "summary":
                assert (task["rule"], task["retries"]) == ("all_done", 0), where
        assert tried_again, name
    nightly, rebuild = parsed["dags"]["nightly_inspection"], parsed["dags"]["rebuild_indexes"]
    assert nightly["timetable"] == "CronTriggerTimetable"
    assert nightly["params"]["date"]["format"] == "date"
    assert rebuild["params"]["force"]["type"] == "boolean"
    assert "array" in rebuild["params"]["categories"]["type"]
    assert parsed["dags"]["evaluate_retrieval"]["timetable"] == "CronTriggerTimetable"
    assert parsed["dags"]["maintenance"]["params"]["dry_run"]["type"] == "boolean"
    for name, form in (("rebuild_indexes", RebuildOptions), ("retrain", RetrainingOptions)):
        assert_asks(parsed["dags"][name], form)


def assert_asks(dag: dict[str, Any], form: type[RebuildOptions]) -> None:
    """The DAG's parameters are the form's fields: names, bounds, choices and defaults."""
    asked, wanted = {}, {}
    for name, schema in dag["params"].items():
        choices = tuple(choice for choice in schema.get("enum", ()) if choice != AS_SET)
        asked[name] = (schema["title"], schema.get("minimum"), schema.get("maximum"), choices)
    for name, field in form.questions().items():
        wanted[name] = (field.title, field.minimum, field.maximum, field.choices)
    assert asked == wanted
    assert form.of(dag["defaults"]) == form()
    assert form().filled_in() == dag["defaults"]


def test_airflow_gets_its_pools_and_keeps_them(environment: dict[str, str]) -> None:
    setup = [sys.executable, "-m", "anomalyos.ops.supervisor.airflow_setup"]
    for _ in range(2):
        done = subprocess.run(setup, env=environment, cwd=PROJECT_ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    with closing(sqlite3.connect(f"{environment['AIRFLOW_HOME']}/airflow.db")) as database:
        slots = dict(database.execute("SELECT pool, slots FROM slot_pool"))
    wanted = {name: pool["slots"] for name, pool in json.loads(pools_file().read_text()).items()}
    assert slots.items() >= wanted.items()
    assert "default_pool" in slots
