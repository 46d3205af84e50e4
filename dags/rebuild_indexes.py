"""Learn products afresh and promote what is better. Wiring only, the work is in ``anomalyos.rebuild``."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, Param, TriggerRule, dag, get_current_context, task
from anomalyos_plugin import log_failure

from anomalyos.data.dataset import list_categories
from anomalyos.settings import get_settings

MODELS = Asset(name="models", uri="anomalyos://models")

DOC = """
### Rebuild indexes

For each product: learn its memory bank from `train/good`, calibrate the threshold on held-out normal
images, evaluate, compare with the champion on the same held-out images, and promote the new version
only when it passes that gate.

* **Products**: leave empty for all of them.
* **Force**: build a version even though data, recipe and settings are those of an existing one.

One product is one mapped task, named after it; a product that fails does not stop the others, and
*summary* then fails and names it. Running it again is safe: the same inputs never make a second version.
The console uses a promoted version at once, without a restart; roll back with
`anomalyos models rollback PRODUCT`.
"""


@dag(
    dag_id="rebuild_indexes",
    dag_display_name="Rebuild indexes",
    description="Build, calibrate, evaluate and promote the model of each product.",
    doc_md=DOC,
    schedule=None,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=24),
    tags=["models", "training"],
    params={
        "categories": Param(
            [],
            type=["null", "array"],
            items={"type": "string"},
            examples=list_categories(get_settings()),
            title="Products",
            description="Empty: all products that have training images.",
        ),
        "force": Param(
            False,
            type="boolean",
            title="Force",
            description="Build even when nothing has changed since the last version.",
        ),
    },
    default_args={
        "owner": "process-engineering",
        "retries": 1,
        "retry_delay": timedelta(seconds=30),
        "retry_exponential_backoff": True,
        "max_retry_delay": timedelta(minutes=10),
        "on_failure_callback": log_failure,
    },
)
def rebuild_indexes() -> None:
    @task(execution_timeout=timedelta(minutes=10), doc_md="The products asked for, or all of them.")
    def discover() -> list[str]:
        from anomalyos.rebuild_plan import choose_categories

        return choose_categories(get_settings(), get_current_context()["params"]["categories"] or [])

    @task(
        multiple_outputs=False,
        execution_timeout=timedelta(hours=6),
        map_index_template="{{ category }}",
        doc_md="Build, calibrate, evaluate, gate and promote one product.",
    )
    def rebuild(category: str) -> dict[str, Any]:
        from anomalyos.rebuild import rebuild_category
        from anomalyos.store.engine import open_store

        context = get_current_context()
        context["category"] = category  # type: ignore[typeddict-unknown-key]
        settings = get_settings()
        return rebuild_category(
            category,
            settings,
            open_store(settings),
            run_id=context["run_id"],
            actor="airflow",
            force=context["params"]["force"],
        )

    @task(
        multiple_outputs=False,
        trigger_rule=TriggerRule.ALL_DONE,
        retries=0,
        execution_timeout=timedelta(minutes=10),
        outlets=[MODELS],
        doc_md="What was built and promoted. Fails when a product failed, and names it.",
    )
    def summary(names: list[str], done: list[dict[str, Any]]) -> dict[str, Any]:
        from anomalyos.rebuild_plan import summarise_rebuilds

        return summarise_rebuilds(names, list(done))

    # Any: at parse time these are promises of values, which the tasks' own types do not know of
    names: Any = discover()
    done: Any = rebuild.expand(category=names)
    summary(names=names, done=done)


rebuild_indexes()
