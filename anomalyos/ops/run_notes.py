"""Notes on the pages of runs in Airflow."""

from __future__ import annotations

from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.settings import Settings
from anomalyos.learning.retraining import DAG_ID
from anomalyos.ops.airflow import AirflowApi


def leave_note(settings: Settings, run_id: str, text: str, dag_id: str = DAG_ID) -> str:
    """Put ``text`` on the run's page in Airflow; returns why not when that cannot be done.

    A note that cannot be left must not fail a run whose work is done: the text is in the task's log as well.
    """
    api = AirflowApi(settings)
    try:
        api.note(dag_id, run_id, text)
    except AnomalyOSError as error:
        return str(error)
    finally:
        api.close()
    return ""
