"""Every week: how well known defects are found. Wiring only; see ``anomalyos.cases.evaluation_record``."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import CronTriggerTimetable, dag, get_current_context, task
from dag_parts import task_defaults
from pendulum.tz.local_timezone import get_local_timezone

from anomalyos.core.settings import get_settings
from anomalyos.db.engine import open_store

DOC = """
### Evaluate retrieval

Asks for every labelled defect of every product once, with all the others as known cases, and measures how
often the most similar ones are of the same kind; and how often the router sends an image to its product. What
counts as right, and how the figures compare with a flat search over all products, stands in the run's file.

**Where do the figures go?** Into MLflow, experiment *retrieval*, one run a week: precision at 1 and 5 and
mean reciprocal rank for each product, for all of them, hierarchical and flat, and *retrieval.json* with
everything else. When MLflow cannot be reached the task fails and is tried again.

**Run it again?** Safe: a try that is repeated answers with the run that is there already. The same by hand,
without MLflow: `anomalyos evaluate-retrieval`.
"""


@dag(
    dag_id="evaluate_retrieval",
    dag_display_name="Evaluate retrieval",
    description="Measure how well known defects are found again, and keep the figures in MLflow.",
    doc_md=DOC,
    schedule=CronTriggerTimetable("0 4 * * 0", timezone=get_local_timezone()),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=8),
    tags=["retrieval", "weekly"],
    default_args=task_defaults(
        "process-engineering", retries=2, wait=timedelta(minutes=1), longest_wait=timedelta(minutes=30)
    ),
)
def evaluate_retrieval() -> None:
    @task(execution_timeout=timedelta(minutes=10), doc_md="The products that have a model.")
    def discover() -> list[str]:
        from anomalyos.cases.evaluation_record import measurable

        settings = get_settings()
        return measurable(settings, open_store(settings))

    @task(
        multiple_outputs=False,
        execution_timeout=timedelta(hours=4),
        pool="training",
        doc_md="Measure, and keep the figures as a run in MLflow. Fails when MLflow cannot keep them.",
    )
    def evaluate(names: list[str]) -> dict[str, Any]:
        from anomalyos.cases.evaluation_record import record_retrieval

        settings = get_settings()
        return record_retrieval(names, settings, open_store(settings), key=get_current_context()["run_id"])

    # Any: at parse time this is a promise of a value, which the task's own type does not know of
    names: Any = discover()
    evaluate(names=names)


evaluate_retrieval()
