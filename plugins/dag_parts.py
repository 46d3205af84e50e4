"""What every DAG has in common: who is told, how often a task is tried again, and the fields of forms."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import Param, get_current_context
from anomalyos_plugin import log_failure

from anomalyos.core.forms import AS_SET, AS_SET_WORDS, Form, FormField
from anomalyos.core.settings import get_settings
from anomalyos.products.dataset import list_categories

if TYPE_CHECKING:
    from anomalyos.learning.options import RebuildOptions
    from anomalyos.learning.retraining import LearningRun


def task_defaults(
    owner: str, *, retries: int, wait: timedelta, longest_wait: timedelta = timedelta(minutes=10), **more: Any
) -> dict[str, Any]:
    """``default_args`` of a DAG whose tasks are safe to try again, each time after a longer wait.

    Args:
        wait: before the first new try.
        more: what else holds for its tasks: ``pool``, ``execution_timeout``.
    """
    return {
        "owner": owner,
        "retries": retries,
        "retry_delay": wait,
        "retry_exponential_backoff": True,
        "max_retry_delay": longest_wait,
        "on_failure_callback": log_failure,
        **more,
    }


def products(description: str = "Empty: all products that have training images.") -> Param:
    """A multi-select of the products there are."""
    return Param(
        [],
        type=["null", "array"],
        items={"type": "string"},
        examples=list_categories(get_settings()),
        title="Products",
        description=description,
    )


def form_params(form: type[Form]) -> dict[str, Param]:
    """The parameters of a DAG that is asked ``form``; a field ``categories`` is chosen from the products."""
    questions = form.questions().values()
    return {field.name: _param(field) for field in questions}


def _param(field: FormField) -> Param:
    if field.name == "categories":
        return products(field.description)
    schema: dict[str, Any] = {"type": ["null", field.kind] if field.optional else field.kind}
    default = field.default
    if field.choices:  # a drop-down cannot be left empty
        default, schema["type"] = AS_SET, field.kind
        schema |= {"enum": [AS_SET, *field.choices], "values_display": {AS_SET: AS_SET_WORDS}}
    bounds = {"minimum": field.minimum, "maximum": field.maximum}
    schema |= {name: bound for name, bound in bounds.items() if bound is not None}
    return Param(default, title=field.title, description=field.description, **schema)


def form_doc(form: type[Form]) -> str:
    """The fields of a form for the DAG's page, one line each."""
    return "\n".join(f"* **{field.title}**: {field.description}" for field in form.questions().values())


def learning_run(form: type[RebuildOptions], category: str = "") -> LearningRun:
    """The run that this task is part of; ``category`` names a mapped task on Airflow's pages."""
    from anomalyos.db.engine import open_store
    from anomalyos.learning.retraining import LearningRun

    context: Any = get_current_context()
    if category:
        context["category"] = category
    events = context.get("triggering_asset_events") or {}
    drifts = [
        drift for found in events.values() for event in found for drift in event.extra.get("drifts", ())
    ]
    settings, options = get_settings(), form.of(context["params"])
    return LearningRun(settings, open_store(settings), options, context["run_id"], drifts)
