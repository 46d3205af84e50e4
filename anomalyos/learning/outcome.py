"""What became of a run that learned, in words and as figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from anomalyos.core.errors import AnomalyOSError


class RebuildFailed(AnomalyOSError):
    """At least one category of a rebuild has no result."""


@dataclass(frozen=True)
class ClassifierResults:
    """What became of the classifiers that name defects."""

    asked: Sequence[str] | None = ()
    """Categories; None when the case index, which they are learned from, could not be refreshed."""
    results: Sequence[Mapping[str, Any]] = ()

    def failed(self) -> list[str]:
        return without_result(self.asked or (), self.results)


NO_CLASSIFIERS = ClassifierResults()


def without_result(names: Iterable[str], results: Iterable[Mapping[str, Any]]) -> list[str]:
    """Categories that failed, sorted: nothing came back from their tasks."""
    return sorted(set(names) - {result["category"] for result in results})


def require_results(names: Sequence[str], results: Sequence[Mapping[str, Any]]) -> None:
    """Raises ``RebuildFailed`` naming the categories without a result."""
    failed = without_result(names, results)
    if failed:
        raise RebuildFailed(
            f"{len(failed)} of {len(names)} categories failed: {', '.join(failed)}.",
            "Their tasks' logs say why; the others are done. Running it again is safe.",
        )


def summarise(
    categories: Sequence[str],
    results: Sequence[Mapping[str, Any]],
    classifiers: ClassifierResults = NO_CLASSIFIERS,
) -> dict[str, Any]:
    """Names of what was promoted, refused and left as it was; ``created`` is what was built at all.

    Raises:
        RebuildFailed: naming the categories without a result, or whose defect names have none.
    """
    require_results(categories, results)
    if classifiers.asked is None:
        raise RebuildFailed("Known defects could not be refreshed.", "The log of index_cases says why.")
    require_results(classifiers.asked, classifiers.results)
    created = {result["category"] for result in results if result.get("created")}
    promoted = {result["category"] for result in results if result.get("promoted")}
    return {
        "created": sorted(created),
        "promoted": sorted(promoted),
        "refused": sorted(created - promoted),
        "unchanged": sorted(set(categories) - created),
        "note": note(categories, results, classifiers=classifiers),
    }


def note(
    categories: Iterable[str],
    results: Sequence[Mapping[str, Any]],
    drifts: Sequence[Mapping[str, Any]] = (),
    classifiers: ClassifierResults = NO_CLASSIFIERS,
) -> str:
    """The whole run in words: what started it, then the failures, then the rest."""
    lines = [*map(drift_line, drifts)]
    lines += [f"{name}: failed, see the log of its task." for name in without_result(categories, results)]
    lines += [f"{name}: learning names of defects failed, see the log." for name in classifiers.failed()]
    lines += ["Known defects could not be refreshed, see the log."] if classifiers.asked is None else []
    lines += [*map(rebuild_line, results), *map(classifier_line, classifiers.results)]
    return "\n".join(lines) or "There was nothing to do."


def rebuild_line(result: Mapping[str, Any]) -> str:
    """``dots v3 inspects now. Image AUROC ...``."""
    name, number = result["category"], result.get("version")
    if result.get("dry_run"):
        made = f" v{number} is made of exactly this." if number else ""
        return f"{name}: {result['images']} images to learn, {result['reviewed']} of them reviewed.{made}"
    reason = (result.get("gate") or {}).get("reason", "")
    if result.get("promoted"):
        return f"{name} v{number} inspects now. {reason}".strip()
    if not result.get("created"):
        return f"{name}: nothing has changed since v{number}. {reason}".strip()
    return f"{name} v{number} was refused. {reason}".strip()


def classifier_line(result: Mapping[str, Any]) -> str:
    """``dots: v2 names defects now. Macro F1 ...``."""
    if "too_few" in result:
        return f"Defect names: {result['too_few']}"
    name, number, reason = result["category"], result["version"], result["reason"]
    if result["promoted"]:
        return f"{name}: v{number} names defects now. {reason}".strip()
    if not result["created"]:
        return f"{name}: no defect was confirmed or renamed since names v{number}."
    return f"{name}: names v{number} were refused. {reason}".strip()


def drift_line(drift: Mapping[str, Any]) -> str:
    """``Started by drift of dots: brightness moved by 2.03.``, and whether it was a rehearsal."""
    made_up = f" {drift['injected']} of the records were injected." if drift.get("injected") else ""
    size = f"{float(drift['size']):.2f}"
    return f"Started by drift of {drift['category']}: {drift['metric']} moved by {size}.{made_up}"
