"""Runs one DAG to its end in this process: ``python -m tests.dags.run_dag DAG_ID CONF_JSON``.

Airflow reads its environment at import, so tests run it in a process of its own. Failed tasks are not tried
again: that would only wait. Prints the end as one line of JSON.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import Any

from anomalyos.core.settings import PROJECT_ROOT


def run(dag_id: str, conf: dict[str, Any], at: datetime | None = None) -> dict[str, Any]:
    """Run the DAG; ``at`` makes it the run of that moment: tried again, it has the same id."""
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(dag_folder=PROJECT_ROOT / "dags")
    if bag.import_errors:
        raise SystemExit(str(bag.import_errors))
    dag: Any = bag.dags[dag_id]
    for task in dag.tasks:
        if hasattr(task, "partial_kwargs"):
            task.partial_kwargs["retries"] = 0
        else:
            task.retries = 0
    finished = dag.test(run_conf=conf, **({"logical_date": at, "run_after": at} if at else {}))
    instances = finished.get_task_instances()
    return {
        "state": str(finished.state),
        "run_id": finished.run_id,
        "tasks": sorted([ti.task_id, ti.map_index, str(ti.state), ti.rendered_map_index] for ti in instances),
        "links": [
            ti.xcom_pull(key="_link_NightInConsole", task_ids=ti.task_id)
            for ti in instances
            if ti.task_id == "summary"
        ],
    }


if __name__ == "__main__":
    sys.stdout.write("\nRESULT " + json.dumps(run(sys.argv[1], json.loads(sys.argv[2]))) + "\n")
