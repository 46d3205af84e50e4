"""Retrain from a form, or because something drifted. The work is in ``anomalyos.learning``."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, Param, TriggerRule, dag, get_current_context, task
from dag_parts import force, products, task_defaults

from anomalyos.core.settings import get_settings
from anomalyos.features.recipes import RECIPES
from anomalyos.learning.rebuild_options import AS_SET

MODELS = Asset(name="models", uri="anomalyos://models")
DRIFT = Asset(name="drift", uri="anomalyos://drift")

DOC = """
### Retrain

Builds a challenger for each product, measures it and the champion on the same held-out images, and lets it
inspect only when it passes the gate: image AUROC and AUPRO not worse beyond their bootstrap intervals, the
promise of false alarms kept, latency and size within limits. The reason stands in this run's note, in MLflow
and on the console's page of models. The console uses a promoted version at once, without a restart.

* **Products**: leave empty for all of them.
* **Recipe, coreset ratio, alpha**: leave them for what `include/categories.yaml` says.
* **Use reviewed normals**: what reviewers called false alarms is learned as normal, too.
* **Learn defect names**: fine-tune the classifier that names defects on confirmed ones, with so many *trials*
  of its settings; it too is put in use only past its gate.
* **Dry run**: says what would be learned from, and builds nothing.

When drift was found (asset *drift*), the products that drifted are retrained with these defaults. Running it
again is safe: the same inputs never make a second version. Roll back in the console under Admin, or with
`anomalyos models rollback PRODUCT`.
"""


def drifts_of(context: Any) -> list[dict[str, Any]]:
    """What the events of asset *drift* say that started this run; nothing when a person did."""
    events = context.get("triggering_asset_events") or {}
    return [drift for found in events.values() for event in found for drift in event.extra["drifts"]]


@dag(
    dag_id="retrain",
    dag_display_name="Retrain",
    description="Build challengers, compare them with the champions, promote what passes the gate.",
    doc_md=DOC,
    schedule=[DRIFT],
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=24),
    tags=["models", "training"],
    params={
        "categories": products(),
        "recipe": Param(
            AS_SET,
            type="string",
            enum=[AS_SET, *RECIPES],
            values_display={AS_SET: "As set for each product"},
            title="Recipe",
            description="How images become features and scores.",
        ),
        "coreset_ratio": Param(
            None,
            type=["null", "number"],
            minimum=0.001,
            maximum=1,
            title="Coreset ratio",
            description="Share of patches the memory bank keeps. Empty: as set.",
        ),
        "alpha": Param(
            None,
            type=["null", "number"],
            minimum=0.001,
            maximum=0.5,
            title="Alpha",
            description="Promised share of normal parts that are flagged. Empty: as set.",
        ),
        "use_reviewed": Param(
            True,
            type="boolean",
            title="Use reviewed normals",
            description="Learn from what reviewers called false alarms.",
        ),
        "fine_tune": Param(
            False,
            type="boolean",
            title="Learn defect names",
            description="Fine-tune the defect classifier on what reviewers confirmed.",
        ),
        "trials": Param(
            10,
            type="integer",
            minimum=1,
            maximum=200,
            title="Trials",
            description="Settings of the classifier that are tried; a killed search goes on where it was.",
        ),
        "force": force(),
        "dry_run": Param(
            False,
            type="boolean",
            title="Dry run",
            description="Say what would be learned from, and build nothing.",
        ),
    },
    default_args=task_defaults("process-engineering", retries=1, wait=timedelta(seconds=30)),
)
def retrain() -> None:
    @task(execution_timeout=timedelta(minutes=10), doc_md="The products asked for, or those that drifted.")
    def discover() -> list[str]:
        from anomalyos.learning.retraining import plan_retraining

        context = get_current_context()
        return plan_retraining(get_settings(), context["params"]["categories"] or [], drifts_of(context))

    @task(
        multiple_outputs=False,
        execution_timeout=timedelta(hours=6),
        pool="training",
        map_index_template="{{ category }}",
        doc_md="Build, calibrate, evaluate, gate and promote one product; keep all of it in MLflow.",
    )
    def challenge(category: str) -> dict[str, Any]:
        from anomalyos.db.engine import open_store
        from anomalyos.learning.retraining import brief, retrain_category

        context = get_current_context()
        context["category"] = category  # type: ignore[typeddict-unknown-key]
        settings = get_settings()
        values = dict(context["params"])
        return brief(
            retrain_category(category, settings, open_store(settings), values, run_id=context["run_id"])
        )

    @task(
        multiple_outputs=False,
        trigger_rule=TriggerRule.ALL_DONE,
        execution_timeout=timedelta(hours=2),
        pool="training",
        doc_md="Labelled and confirmed defects into the case index, seeds into the knowledge graph. Hands on "
        "the products whose defect names are to be learned.",
    )
    def index_cases(names: list[str]) -> list[str]:
        from anomalyos.db.engine import open_store
        from anomalyos.learning.case_base import refresh_case_base

        params = get_current_context()["params"]
        if params["dry_run"]:
            return []
        settings = get_settings()
        refresh_case_base(names, settings, open_store(settings))
        return names if params["fine_tune"] else []

    @task(
        multiple_outputs=False,
        execution_timeout=timedelta(hours=6),
        pool="training",
        map_index_template="{{ category }}",
        doc_md="Search, fit, calibrate and gate the classifier that names one product's defects.",
    )
    def name_defects(category: str) -> dict[str, Any]:
        from anomalyos.db.engine import open_store
        from anomalyos.learning.retraining import fine_tune

        context, settings = get_current_context(), get_settings()
        context["category"] = category  # type: ignore[typeddict-unknown-key]
        trials = int(context["params"]["trials"])
        return fine_tune(category, settings, open_store(settings), trials=trials, run_id=context["run_id"])

    @task(
        multiple_outputs=False,
        trigger_rule=TriggerRule.ALL_DONE,
        retries=0,
        execution_timeout=timedelta(minutes=10),
        outlets=[MODELS],
        doc_md="The outcome as the run's note. Fails when anything before it failed, and names it.",
    )
    def summary(
        names: list[str], done: list[dict[str, Any]], naming: list[str] | None, named: list[dict[str, Any]]
    ) -> dict[str, Any]:
        from anomalyos.learning.retraining import Naming, note, summarise
        from anomalyos.ops.run_notes import leave_note

        results, learned = list(done), Naming(naming, list(named))
        context = get_current_context()
        words = note(names, results, drifts_of(context), learned)
        why_not = leave_note(get_settings(), context["run_id"], words)
        print(words, f"(not left as a note: {why_not})" if why_not else "", sep="\n")  # noqa: T201 - the task's log
        return summarise(names, results, learned)

    # Any: at parse time these are promises of values, which the tasks' own types do not know of
    names: Any = discover()
    done: Any = challenge.expand(category=names)
    naming: Any = index_cases(names=names)
    done >> naming
    named: Any = name_defects.expand(category=naming)
    summary(names=names, done=done, naming=naming, named=named)


retrain()
