"""Runs DAGs in forked children, so that their imports are paid for once: ``python -m tests.dags.run_server``.

Reads one JSON document a line, ``{"dag", "conf", "at", "log"}``, and answers with the child's process group,
then, when it ended, with its exit status. A child runs one DAG to its end and is there to be killed.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys
from datetime import datetime
from typing import Any, TextIO

# what tasks import; nothing of it has computed anything, so a child may be forked safely
EARLY = (
    "airflow.dag_processing.dagbag",
    "torch",
    "torchvision",
    "timm",
    "faiss",
    "sklearn.manifold",
    "mlflow",
    "evidently",
    "evidently.metrics",
    "great_expectations",
    "anomalyos.inspection.inspector",
    "anomalyos.learning.rebuild",
    "anomalyos.learning.case_base",
    "anomalyos.patchcore.bundle",
)


def main() -> None:
    # Airflow logs to standard output: answers go out beside it
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for name in EARLY:
        importlib.import_module(name)
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
        found = run(asked["dag"], asked["conf"], datetime.fromisoformat(asked["at"]))
    except Exception:  # a child has nobody to raise to
        logging.getLogger(__name__).exception("%s could not be run", asked["dag"])
        return 1
    return 0 if found["state"] == "success" else 1


def say(answers: TextIO, document: dict[str, Any]) -> None:
    answers.write(json.dumps(document) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
