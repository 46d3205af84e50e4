"""After every night: does the world drift away from the models? The work is in ``anomalyos.quality``."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, TriggerRule, dag, get_current_context, task
from anomalyos_plugin import DriftInConsole
from dag_parts import products, task_defaults

from anomalyos.core.settings import get_settings
from anomalyos.db.engine import open_store

NIGHT = Asset(name="inspected_night", uri="anomalyos://inspected-night")
DRIFT = Asset(name="drift", uri="anomalyos://drift")

DOC = """
### Drift report

Compares, product by product, what its model saw first with what it sees now: anomaly score, predicted
product, brightness, sharpness and the embedding of the whole image. Windows, methods and thresholds stand
in `include/drift.yaml`. Figures and Evidently's page are in the console under *Analytics*.

It runs when a night was inspected (asset *inspected_night*), and whenever you trigger it.

**What drift does.** The task *announce* updates the asset *drift*, which starts the DAG *retrain* for the
products that drifted: not for a product that was retrained because of drift within its cool-down, and not
more often a day than the cap allows. Then *announce* is skipped, and its log says why. A product with too
few records for a comparison has no drift.

**Try it**: `anomalyos simulate drift PRODUCT` injects records that look like another lamp, trigger this
DAG, and `anomalyos simulate clear` takes everything back. Injected records are marked wherever they are
shown.

**Run it again?** Always safe: the same windows are compared once a day, and a run announces its drift once.
"""


@dag(
    dag_id="drift_report",
    dag_display_name="Drift report",
    description="Compare what the models see now with what they saw first; drift starts retraining.",
    doc_md=DOC,
    schedule=[NIGHT],
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=4),
    tags=["monitoring", "nightly"],
    params={"categories": products("Empty: all products that have a model in use.")},
    default_args=task_defaults("process-engineering", retries=2, wait=timedelta(seconds=30)),
)
def drift_report() -> None:
    @task(execution_timeout=timedelta(minutes=10), doc_md="Products with a model, and the day of the report.")
    def discover() -> list[dict[str, str]]:
        from anomalyos.drift.run import plan

        context, settings = get_current_context(), get_settings()
        events = context.get("triggering_asset_events") or {}
        batches = [str(event.extra.get("batch", "")) for found in events.values() for event in found]
        return plan(settings, open_store(settings), context["params"]["categories"] or [], batches)

    @task(
        multiple_outputs=False,
        execution_timeout=timedelta(hours=1),
        pool="training",
        map_index_template="{{ category }}",
        doc_md="Compare one product's windows; keep the figures and Evidently's page.",
    )
    def compare(subject: dict[str, str]) -> dict[str, Any]:
        from anomalyos.drift.run import compare as compare_one

        context = get_current_context()
        context["category"] = subject["category"]  # type: ignore[typeddict-unknown-key]
        settings = get_settings()
        return compare_one(subject, settings, open_store(settings), run_id=context["run_id"])

    @task(
        multiple_outputs=False,
        # a product whose comparison failed does not silence the others
        trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS,
        execution_timeout=timedelta(minutes=10),
        outlets=[DRIFT],
        doc_md="Start retraining where cool-down and daily cap allow; skipped when nothing is to be started.",
    )
    def announce(done: list[dict[str, Any]]) -> dict[str, Any]:
        from airflow.sdk.exceptions import AirflowSkipException

        from anomalyos.drift.run import announce as announce_drift

        context, settings = get_current_context(), get_settings()
        drifts, waiting = announce_drift(list(done), settings, open_store(settings), run_id=context["run_id"])
        print(*waiting, sep="\n")  # noqa: T201 - the task's log
        if not drifts:
            # a task that succeeds updates its asset, and that would start a retraining
            raise AirflowSkipException(" ".join(waiting) or "Nothing drifted.")
        event: dict[str, Any] = {"drifts": drifts}
        context["outlet_events"][DRIFT].extra = event
        return {"drifts": drifts, "waiting": waiting}

    @task(
        multiple_outputs=False,
        trigger_rule=TriggerRule.ALL_DONE,
        retries=0,
        execution_timeout=timedelta(minutes=10),
        doc_md="One line a product. Fails when a comparison failed, and names the product.",
    )
    def summary(subjects: list[dict[str, str]], done: list[dict[str, Any]]) -> dict[str, Any]:
        from anomalyos.drift.run import summarise

        figures = summarise(subjects, list(done))
        print(*figures["lines"], sep="\n")  # noqa: T201 - the task's log
        return figures

    # Any: at parse time these are promises of values, which the tasks' own types do not know of
    subjects: Any = discover()
    done: Any = compare.expand(subject=subjects)
    announce(done=done)
    result: Any = summary(subjects=subjects, done=done)
    result.operator.operator_extra_links = (DriftInConsole(),)


drift_report()
