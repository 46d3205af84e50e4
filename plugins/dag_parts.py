"""What every DAG has in common: who is told, how often a task is tried again, and the fields of forms."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import Param
from anomalyos_plugin import log_failure

from anomalyos.core.settings import get_settings
from anomalyos.products.dataset import list_categories


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


def force() -> Param:
    return Param(
        False,
        type="boolean",
        title="Force",
        description="Build even when nothing has changed since the last version.",
    )
