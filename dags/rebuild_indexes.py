"""Learn products afresh and promote what is better. The work is in ``anomalyos.learning``."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, TriggerRule, dag, get_current_context, task
from dag_parts import force, products, task_defaults

from anomalyos.core.settings import get_settings

MODELS = Asset(name="models", uri="anomalyos://models")

DOC = """
### Rebuild indexes

For each product: learn its memory bank from `train/good`, calibrate the threshold on held-out normal
images, evaluate, compare with the champion on the same held-out images, and promote the new version
only when it passes that gate.

Before that *check* holds the images against the product's suite in include/expectations. Bad ones are set
aside with the reason (*Data checks* in the console) and the others are learned from; when the suite says
stop, the product's *check* fails and nothing is learned of it.

* **Products**: leave empty for all of them.
* **Force**: build a version even though data, recipe and settings are those of an existing one.

One product is one mapped task, named after it; a product that fails does not stop the others, and
*summary* then fails and names it. At the end *index_cases* takes new labelled and confirmed defects into
the index of known cases. Running it again is safe: the same inputs never make a second version.
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
        "categories": products(),
        "force": force(),
    },
    default_args=task_defaults("process-engineering", retries=1, wait=timedelta(seconds=30)),
)
def rebuild_indexes() -> None:
    @task(execution_timeout=timedelta(minutes=10), doc_md="The products asked for, or all of them.")
    def discover() -> list[str]:
        from anomalyos.products.selection import choose_categories

        return choose_categories(get_settings(), get_current_context()["params"]["categories"] or [])

    @task(
        multiple_outputs=False,
        execution_timeout=timedelta(hours=1),
        pool="training",
        map_index_template="{{ category }}",
        doc_md="Great Expectations looks at the images of one product; fails when its suite says stop.",
    )
    def check(category: str) -> str:
        from anomalyos.db.engine import open_store
        from anomalyos.quality.data_check import check_category, require_learnable

        get_current_context()["category"] = category  # type: ignore[typeddict-unknown-key]
        settings = get_settings()
        require_learnable(check_category(category, settings, open_store(settings)))
        return category

    @task(
        multiple_outputs=False,
        # the products that passed go on, whatever became of the others
        trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS,
        execution_timeout=timedelta(hours=6),
        pool="training",
        map_index_template="{{ category }}",
        doc_md="Build, calibrate, evaluate, gate and promote one product.",
    )
    def rebuild(category: str) -> dict[str, Any]:
        from anomalyos.db.engine import open_store
        from anomalyos.learning.retraining import brief, retrain_category

        context = get_current_context()
        context["category"] = category  # type: ignore[typeddict-unknown-key]
        settings = get_settings()
        values = {"force": context["params"]["force"]}
        return brief(
            retrain_category(category, settings, open_store(settings), values, run_id=context["run_id"])
        )

    @task(
        multiple_outputs=False,
        trigger_rule=TriggerRule.ALL_DONE,
        execution_timeout=timedelta(hours=2),
        pool="training",
        doc_md="Labelled and confirmed defects into the case index, seeds into the knowledge graph.",
    )
    def index_cases(names: list[str]) -> dict[str, Any]:
        from anomalyos.db.engine import open_store
        from anomalyos.learning.case_base import refresh_case_base

        settings = get_settings()
        return refresh_case_base(names, settings, open_store(settings))

    @task(
        multiple_outputs=False,
        trigger_rule=TriggerRule.ALL_DONE,
        retries=0,
        execution_timeout=timedelta(minutes=10),
        outlets=[MODELS],
        doc_md="What was built and promoted. Fails when a product failed, and names it.",
    )
    def summary(names: list[str], done: list[dict[str, Any]]) -> dict[str, Any]:
        from anomalyos.learning.rebuild_plan import summarise_rebuilds

        return summarise_rebuilds(names, list(done))

    # Any: at parse time these are promises of values, which the tasks' own types do not know of
    names: Any = discover()
    checked: Any = check.expand(category=names)
    done: Any = rebuild.expand(category=checked)
    summary(names=names, done=done)
    # a leaf of its own: the run fails when it fails
    done >> index_cases(names=names)


rebuild_indexes()
