"""Learn products afresh and promote what is better. The work is in ``anomalyos.learning``."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, TriggerRule, dag, task
from dag_parts import form_doc, form_params, learning_run, task_defaults

from anomalyos.learning.options import RebuildOptions

MODELS = Asset(name="models", uri="anomalyos://models")

DOC = f"""
### Rebuild indexes

For each product: learn its memory bank from `train/good`, calibrate the threshold on held-out normal
images, evaluate, compare with the champion on the same held-out images, and promote the new version
only when it passes that gate.

Before that *check* holds the images against the product's suite in include/expectations. Bad ones are set
aside with the reason (*Data checks* in the console) and the others are learned from; when the suite says
stop, the product's *check* fails and nothing is learned of it.

{form_doc(RebuildOptions)}

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
    params=form_params(RebuildOptions),
    default_args=task_defaults("process-engineering", retries=1, wait=timedelta(seconds=30)),
)
def rebuild_indexes() -> None:
    @task(execution_timeout=timedelta(minutes=10), doc_md="The products asked for, or all of them.")
    def discover() -> list[str]:
        return learning_run(RebuildOptions).discover()

    @task(
        multiple_outputs=False,
        execution_timeout=timedelta(hours=1),
        pool="training",
        map_index_template="{{ category }}",
        doc_md="Great Expectations looks at the images of one product; fails when its suite says stop.",
    )
    def check(category: str) -> str:
        return learning_run(RebuildOptions, category).check(category)

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
        return learning_run(RebuildOptions, category).challenge(category)

    @task(
        multiple_outputs=False,
        trigger_rule=TriggerRule.ALL_DONE,
        execution_timeout=timedelta(hours=2),
        pool="training",
        doc_md="Labelled and confirmed defects into the case index, seeds into the knowledge graph.",
    )
    def index_cases(names: list[str]) -> dict[str, Any]:
        return learning_run(RebuildOptions).index_cases(names)

    @task(
        multiple_outputs=False,
        trigger_rule=TriggerRule.ALL_DONE,
        retries=0,
        execution_timeout=timedelta(minutes=10),
        outlets=[MODELS],
        doc_md="What was built and promoted. Fails when a product failed, and names it.",
    )
    def summary(names: list[str], done: list[dict[str, Any]]) -> dict[str, Any]:
        from anomalyos.learning.outcome import summarise

        return summarise(names, list(done))

    # Any: at parse time these are promises of values, which the tasks' own types do not know of
    names: Any = discover()
    checked: Any = check.expand(category=names)
    done: Any = rebuild.expand(category=checked)
    summary(names=names, done=done)
    # a leaf of its own: the run fails when it fails
    done >> index_cases(names=names)


rebuild_indexes()
