"""Brings what explanations draw on up to date: the knowledge graph and the index of known defects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from anomalyos.cases import repository as case_repository
from anomalyos.cases.library import get_case_library
from anomalyos.core.progress import StepProgress
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.knowledge.seeds import ensure_seeded


def refresh_case_base(
    names: Sequence[str], settings: Settings, store: Store, progress: StepProgress | None = None
) -> dict[str, Any]:
    """Seed the graph, take in labelled defects, and follow every review that was not followed yet.

    What is there already stays as it is, so running it again, or after a kill, only adds what is missing.

    Args:
        names: categories whose labelled test images become cases.

    Returns:
        JSON-able: ``knowledge`` and ``cases`` counts, ``reviews_followed``.
    """
    report = progress or (lambda name, done, total: None)
    knowledge = ensure_seeded(store, settings)
    library = get_case_library(settings, store)
    counts: dict[str, Any] = {}
    for done, name in enumerate(names):
        report(name, done, len(names))
        counts[name] = library.import_labelled(name)
    followed = follow_reviews(settings, store)
    report("", len(names), len(names))
    return {"knowledge": knowledge, "cases": counts, "reviews_followed": followed}


def follow_reviews(settings: Settings, store: Store) -> int:
    """Make the case base agree with the decisions that stand; the console does so at each decision, and
    what it could not do then is done here.

    Returns:
        How many inspections were out of step.
    """
    with store.session(read_only=True) as session:
        behind = case_repository.reviews_not_followed(session)
    library = get_case_library(settings, store)
    for inspection_id in behind:
        library.follow_review(inspection_id, "case base")
    return len(behind)
