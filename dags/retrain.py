"""Retrain from a form, or because something drifted. The work is in ``anomalyos.learning``."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, TriggerRule, dag, task
from dag_parts import form_doc, form_params, learning_run, task_defaults

from anomalyos.learning.options import RetrainingOptions

MODELS = Asset(name="models", uri="anomalyos://models")
DRIFT = Asset(name="drift", uri="anomalyos://drift")

DOC = f"""
### Retrain

Builds a challenger for each product, measures it and the champion on the same held-out images, and lets it
inspect only when it passes the gate: image AUROC and AUPRO not worse beyond their bootstrap intervals, the
promise of false alarms kept, latency and size within limits. The reason stands in this run's note, in MLflow
and on the console's page of models. The console uses a promoted version at once, without a restart.

{form_doc(RetrainingOptions)}

When drift was found (asset *drift*), the products that drifted are retrained with these defaults. Running it
again is safe: the same inputs never make a second version. Roll back in the console under Admin, or with
`anomalyos models rollback PRODUCT`.
"""


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
    params=form_params(RetrainingOptions),
    default_args=task_defaults("process-engineering", retries=1, wait=timedelta(seconds=30)),
)
def retrain() -> None:
    @task(execution_timeout=timedelta(minutes=10), doc_md="The products asked for, or those that drifted.")
    def discover() -> list[str]:
        return learning_run(RetrainingOptions).discover()

    @task(
        multiple_outputs=False,
        execution_timeout=timedelta(hours=6),
        pool="training",
        map_index_template="{{ category }}",
        doc_md="Build, calibrate, evaluate, gate and promote one product; keep all of it in MLflow.",
    )
    def challenge(category: str) -> dict[str, Any]:
        return learning_run(RetrainingOptions, category).challenge(category)

    @task(
        multiple_outputs=False,
        trigger_rule=TriggerRule.ALL_DONE,
        execution_timeout=timedelta(hours=2),
        pool="training",
        doc_md="Labelled and confirmed defects into the case index, seeds into the knowledge graph. Hands on "
        "the products whose defect names are to be learned.",
    )
    def index_cases(names: list[str]) -> list[str]:
        run = learning_run(RetrainingOptions)
        run.index_cases(names)
        return run.to_name(names)

    @task(
        multiple_outputs=False,
        execution_timeout=timedelta(hours=6),
        pool="training",
        map_index_template="{{ category }}",
        doc_md="Search, fit, calibrate and gate the classifier that names one product's defects.",
    )
    def name_defects(category: str) -> dict[str, Any]:
        return learning_run(RetrainingOptions, category).name_defects(category)

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
        from anomalyos.learning.outcome import ClassifierResults, note, summarise
        from anomalyos.ops.run_notes import leave_note

        results, classifiers = list(done), ClassifierResults(naming, list(named))
        run = learning_run(RetrainingOptions)
        words = note(names, results, run.drifts, classifiers)
        why_not = leave_note(run.settings, run.run_id, words)
        print(words, f"(not left as a note: {why_not})" if why_not else "", sep="\n")  # noqa: T201 - the task's log
        return summarise(names, results, classifiers)

    # Any: at parse time these are promises of values, which the tasks' own types do not know of
    names: Any = discover()
    done: Any = challenge.expand(category=names)
    naming: Any = index_cases(names=names)
    done >> naming
    named: Any = name_defects.expand(category=naming)
    summary(names=names, done=done, naming=naming, named=named)


retrain()
