"""The DAG files as Airflow sees them: they parse, quickly, and explain themselves in its pages."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from anomalyos.settings import PROJECT_ROOT

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
        "timetable": dag.timetable.__class__.__name__,
        "tasks": {{
            task.task_id: {{
                "owner": task.owner,
                "timeout": task.execution_timeout is not None,
                "callbacks": bool(task.on_failure_callback),
                "retries": task.retries,
                "backoff": bool(task.retry_exponential_backoff),
                "rule": task.trigger_rule.value,
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


def test_the_dags_parse_light_and_explain_themselves(parsed: dict[str, Any]) -> None:
    assert parsed["errors"] == {}
    assert parsed["heavy"] == []
    assert set(parsed["dags"]) == {"nightly_inspection", "rebuild_indexes"}
    for dag in parsed["dags"].values():
        assert len(dag["doc"]) > 300
        assert dag["tags"]
        assert dag["max_active_runs"] == 1
        assert dag["timeout"]
        for task in dag["tasks"].values():
            assert task["owner"] != "airflow"
            assert task["timeout"]
            assert task["callbacks"]
        assert dag["tasks"]["summary"]["rule"] == "all_done"
        assert dag["tasks"]["summary"]["retries"] == 0
        assert dag["tasks"]["discover"]["retries"] > 0
        assert dag["tasks"]["discover"]["backoff"]
    nightly, rebuild = parsed["dags"]["nightly_inspection"], parsed["dags"]["rebuild_indexes"]
    assert nightly["timetable"] == "CronTriggerTimetable"
    assert nightly["params"]["date"]["format"] == "date"
    assert rebuild["params"]["force"]["type"] == "boolean"
    assert "array" in rebuild["params"]["categories"]["type"]
