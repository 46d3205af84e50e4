"""Which categories a rebuild works on, and what became of them: the two ends of the rebuild DAG."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from anomalyos.core.errors import AnomalyOSError

if TYPE_CHECKING:
    pass


class RebuildFailed(AnomalyOSError):
    """At least one category of a rebuild has no result."""


def without_result(names: Iterable[str], results: Iterable[Mapping[str, Any]]) -> list[str]:
    """Categories that failed, sorted: nothing came back from their tasks."""
    return sorted(set(names) - {result["category"] for result in results})


def require_results(names: list[str], results: Sequence[Mapping[str, Any]]) -> None:
    """Raises ``RebuildFailed`` naming the categories without a result."""
    failed = without_result(names, results)
    if failed:
        raise RebuildFailed(
            f"{len(failed)} of {len(names)} categories failed: {', '.join(failed)}.",
            "Their tasks' logs say why; the others are done. Running it again is safe.",
        )


def summarise_rebuilds(names: list[str], results: list[dict[str, Any]]) -> dict[str, Any]:
    """What was built and promoted, by category name.

    Raises:
        RebuildFailed: naming the categories without a result.
    """
    require_results(names, results)
    return {
        "categories": len(names),
        "created": sorted(result["category"] for result in results if result["created"]),
        "promoted": sorted(result["category"] for result in results if result["promoted"]),
        "results": results,
    }
