"""Runs DAGs in forked children, so that their imports are paid for once: ``python -m tests.dags.server``.

Reads one request of ``tests.dags.runner`` a line and answers with the child's process group, then, when it
ended, with its exit status. A child has the environment, and so the home and the Airflow, of its request; it
runs one DAG to its end and is there to be killed.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

# what tasks import; nothing of it has computed anything, so a child may be forked safely
EARLY = (
    "airflow.dag_processing.dagbag",
    "airflow.api_fastapi.execution_api.routes",
    "airflow.providers.standard.operators.python",
    "torch",
    "torchvision",
    "timm",
    "faiss",
    "sklearn.manifold",
    "mlflow",
    "evidently",
    "evidently.metrics",
    "great_expectations",
    "optuna",
    "anomalyos.inspection.nightly",
    "anomalyos.drift.run",
    "anomalyos.learning.retraining",
    "anomalyos.ops.maintenance.backup",
)


def main() -> None:
    # Airflow logs to standard output: answers go out beside it
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for name in EARLY:
        importlib.import_module(name)
    # what the tasks of a run ask; it is the same for every home, and takes seconds to build
    importlib.import_module("airflow.sdk.execution_time.supervisor").in_process_api_server().app  # noqa: B018
    say(answers, {"ready": True})
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            os._exit(work(asked))
        say(answers, {"group": child})
        _, status = os.waitpid(child, 0)
        say(answers, {"status": os.waitstatus_to_exitcode(status)})


def work(asked: dict[str, Any]) -> int:
    """0 when the run succeeded, 1 when it did not."""
    from tests.dags.run_dag import run

    os.setsid()
    log = os.open(asked["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    try:
        move_in(asked["environment"])
        for name in asked["fakes"]:
            importlib.import_module(name).install()
        at = datetime.fromisoformat(asked["at"]) if asked["at"] else None
        found = run(asked["dag"], asked["conf"], at)
        Path(asked["result"]).write_text(json.dumps(found), encoding="utf-8")
    except Exception:  # a child has nobody to raise to
        logging.getLogger(__name__).exception("%s could not be run", asked["dag"])
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0 if found["state"] == "success" else 1


def move_in(environment: dict[str, str]) -> None:
    """Take on a home: Airflow read its address and its folders when it was imported, under the server's."""
    from airflow import configuration, settings
    from airflow.logging_config import configure_logging

    os.environ.clear()
    os.environ.update(environment)
    configuration.AIRFLOW_HOME = environment["AIRFLOW_HOME"]
    settings.configure_vars()
    settings.reconfigure_orm()
    configure_logging()


def say(answers: TextIO, document: dict[str, Any]) -> None:
    answers.write(json.dumps(document) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
