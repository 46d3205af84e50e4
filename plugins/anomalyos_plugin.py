"""AnomalyOS inside Airflow's own pages: the console in the navigation, links from work to its results."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow.plugins_manager import AirflowPlugin
from airflow.sdk import BaseOperatorLink

from anomalyos.core.settings import get_settings
from anomalyos.ops.webhook import tell_webhook

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey

log = logging.getLogger("anomalyos.airflow")


def console_url(query: str = "") -> str:
    """Address of the console as people reach it, with an optional ``name=value`` query."""
    base = get_settings().console_url.rstrip("/")
    return f"{base}/?{query}" if query else f"{base}/"


class NightInConsole(BaseOperatorLink):
    """Button on the nightly summary task that opens the night in the console.

    Airflow asks for the link when the task ends, in the task's own process, where the template of
    the task's ``day`` argument has been filled in.
    """

    @property
    def name(self) -> str:
        return "Open the night in the console"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        day = str(getattr(operator, "op_kwargs", {}).get("day", ""))
        return console_url(f"batch=night-{quote(day)}") if day else console_url()


class DriftInConsole(BaseOperatorLink):
    """Button on the summary of a drift report that opens the figures in the console."""

    @property
    def name(self) -> str:
        return "Open drift in the console"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        return f"{console_url()}analytics#drift"


def log_failure(context: Any) -> None:
    """Failure callback of every DAG: one line that names task, shard and reason, and the webhook if set."""
    ti = context["ti"]
    label = f"[{ti.map_index}]" if ti.map_index >= 0 else ""
    log.error(
        "%s %s%s of run %s failed on try %d: %s",
        ti.dag_id,
        ti.task_id,
        label,
        context["run_id"],
        ti.try_number,
        context.get("exception") or "no exception was passed on",
    )
    tell_webhook(
        get_settings(),
        {
            "event": "task_failed",
            "dag": ti.dag_id,
            "task": f"{ti.task_id}{label}",
            "run": context["run_id"],
            "attempt": ti.try_number,
            "reason": str(context.get("exception") or ""),
        },
    )


class AnomalyOSPlugin(AirflowPlugin):
    name = "anomalyos"
    external_views: list[Any] = [  # noqa: RUF012 - Airflow declares it so
        {
            # Airflow cuts longer names off in its narrow navigation
            "name": "Console",
            "href": console_url(),
            "url_route": "anomalyos-console",
            "destination": "nav",
            "nav_top_level": True,
        },
        {
            # the page of a run knows its run id and not its date: the console looks the batch up
            "name": "Results in the console",
            "href": console_url("run={RUN_ID}"),
            "url_route": "anomalyos-night",
            "destination": "dag_run",
        },
    ]
