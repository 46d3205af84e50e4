"""Every night: inspect what the cameras delivered. The work is in ``anomalyos.inspection.nightly``."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, CronTriggerTimetable, Param, TriggerRule, dag, get_current_context, task
from anomalyos_plugin import NightInConsole
from dag_parts import task_defaults
from pendulum.tz.local_timezone import get_local_timezone

from anomalyos.core.settings import get_settings
from anomalyos.db.engine import open_store
from anomalyos.inspection.nights import night_of

LOCAL = get_local_timezone()

NIGHT = Asset(name="inspected_night", uri="anomalyos://inspected-night")

DAY = "{{ night_of(params.date, dag_run.run_after, dag_run.run_type == 'scheduled') }}"

DOC = """
### Nightly inspection

Inspects every image in `inbox/DATE/` (files directly in it are routed to their product by the model;
files in `inbox/DATE/PRODUCT/` are taken for that product and checked against the router), then opens
the queue of the night in the console.

**Which night?** A scheduled run (02:00, local time of the server) works on the production day that has
just ended: *yesterday's* folder. A run you trigger works on *today's* folder, or on the `date` you give.
When the machine was off at 02:00, the last night is caught up at the next start; older ones by
triggering them with their date.

**Run it again?** Always safe. Images that have a result are skipped; nothing is added twice. After a
failure, or when more images arrived, trigger it again with the same date.

**Files that are still being written** are waited for up to ten seconds and otherwise left to the next run.
**Data checks** (Great Expectations, suites in include/expectations) look at the files first. Their remarks
are in the console under *Data checks*. Only a suite that says stop keeps a product's files from being
inspected; a check that fails does not.

**Files that cannot be read** are recorded as rejected with the reason; they never stop the others.

The images are shared out into **loads** of about the same work, one for each slot of the pool *inspection*,
and more only where one would take longer than ten minutes: a process starts once and then works.

The task *summary* fails when any load failed or any image is without a result. Its button
*Open the night in the console* leads to the queue.
"""


@dag(
    dag_id="nightly_inspection",
    dag_display_name="Nightly inspection",
    description="Inspect the images of one night and queue what needs a reviewer.",
    doc_md=DOC,
    # immediately: a night missed because the machine was off is caught up at the next start (the newest one)
    schedule=CronTriggerTimetable("0 2 * * *", timezone=LOCAL, run_immediately=True),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=12),
    tags=["inspection", "nightly"],
    params={
        "date": Param(
            None,
            type=["null", "string"],
            format="date",
            title="Night",
            description="Folder of the inbox, YYYY-MM-DD. Empty: today when you trigger it, "
            "yesterday when the schedule does.",
        )
    },
    user_defined_macros={"night_of": night_of},
    default_args=task_defaults("inspection", retries=2, wait=timedelta(seconds=20)),
)
def nightly_inspection() -> None:
    @task(execution_timeout=timedelta(minutes=30), doc_md="List the night's files and share the work out.")
    def discover(day: str) -> list[list[dict[str, Any]]]:
        from anomalyos.inspection.nightly import discover as find
        from anomalyos.inspection.shards import share_out

        settings = get_settings()
        shards = find(settings, open_store(settings), day, run_id=get_current_context()["run_id"])
        return share_out(shards, settings)

    @task(
        execution_timeout=timedelta(hours=1),
        pool="inspection",
        doc_md="Great Expectations looks at the files. What a suite stops is not inspected then.",
    )
    def check(loads: list[list[dict[str, Any]]]) -> list[str]:
        from anomalyos.inspection.delivery_check import check_shards

        settings = get_settings()
        return check_shards(settings, open_store(settings), [shard for load in loads for shard in load])

    @task(
        multiple_outputs=False,
        # a photographed part is inspected even when nobody could check its file
        trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS,
        execution_timeout=timedelta(hours=2),
        pool="inspection",
        map_index_template="{{ load_name }}",
        doc_md="Inspect one load: a slot's share of the night, product by product.",
    )
    def inspect(load: list[dict[str, Any]]) -> dict[str, int]:
        from anomalyos.inspection.nightly import inspect_load
        from anomalyos.inspection.shards import load_name

        get_current_context()["load_name"] = load_name(load)  # type: ignore[typeddict-unknown-key]
        settings = get_settings()
        return inspect_load(load, settings, open_store(settings))

    @task(
        multiple_outputs=False,
        trigger_rule=TriggerRule.ALL_DONE,
        retries=0,
        execution_timeout=timedelta(minutes=10),
        outlets=[NIGHT],
        doc_md="Figures of the night. Fails when a load failed or an image is without a result.",
    )
    def summary(day: str, loads: list[list[Any]], done: list[dict[str, int]]) -> dict[str, Any]:
        from anomalyos.inspection.nightly import summarise

        settings = get_settings()
        figures = summarise(settings, open_store(settings), day, len(loads) - len(done))
        get_current_context()["outlet_events"][NIGHT].extra = {"batch": figures["batch"]}
        return figures

    # Any: at parse time these are promises of values, which the tasks' own types do not know of
    loads: Any = discover(day=DAY)
    done: Any = inspect.expand(load=loads)
    check(loads=loads) >> done
    result: Any = summary(day=DAY, loads=loads, done=done)
    result.operator.operator_extra_links = (NightInConsole(),)


nightly_inspection()
