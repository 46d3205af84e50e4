"""How good retrieval is: precision and reciprocal rank, searched hierarchically and flat.

Pure functions over embeddings and labels; gathering them is ``anomalyos.cases.evaluation``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from anomalyos.cases.case_index import CaseIndex, Entry
from anomalyos.core.arrays import Float32Array

K = 5


@dataclass(frozen=True)
class LabelledCase:
    """One labelled defect, which is a case for every other one and a question of its own."""

    image: str
    """SHA-256 of the photograph."""
    file: str
    category: str
    defect_type: str
    synthetic: bool
    routed: str | None
    """Where the real router sends the photograph."""


@dataclass(frozen=True)
class Answer:
    """What one search gave for one question."""

    relevant: tuple[bool, ...]
    """Of the first K answers, best first: same category and same defect type."""
    possible: int
    """Relevant cases there were to find."""
    first: int | None
    """Rank of the first relevant answer among all, from 1; None when there was none."""
    foreign: int
    """Of the first K answers, how many are of another category."""
    chance: float
    """Share of relevant cases among those searched: the precision of answers drawn blindly."""


Grouping = Callable[[LabelledCase], str]


def answer_all(
    items: Sequence[LabelledCase],
    case_vectors: Float32Array,
    query_vectors: Float32Array,
    *,
    hierarchical: bool,
    apart: Grouping,
) -> list[Answer]:
    """Ask for each item among all others that do not share ``apart`` with it.

    Args:
        case_vectors: (N, D) how each item is filed.
        query_vectors: (N, D) how each item is asked for.
        hierarchical: search the routed category only; an image routed nowhere finds nothing.
        apart: photographs it puts together never answer for each other.
    """
    index = CaseIndex(case_vectors.shape[1], "measured")
    index.add([Entry(i, item.category, apart(item)) for i, item in enumerate(items)], case_vectors)
    together = Counter(apart(item) for item in items)
    answers = []
    for item, vector in zip(items, query_vectors, strict=True):
        own = apart(item)
        possible = sum(relevant(item, other) and apart(other) != own for other in items)
        found: list[int] = []
        if not hierarchical or item.routed is not None:
            category = item.routed if hierarchical else None
            hits = index.search(vector[None], len(items), category=category, exclude_images=frozenset([own]))
            found = [hit.case_id for hit in hits[0]]
        answers.append(_answer(item, [items[i] for i in found], possible, len(items) - together[own]))
    return answers


def relevant(item: LabelledCase, other: LabelledCase) -> bool:
    return (item.category, item.defect_type) == (other.category, other.defect_type)


def _answer(item: LabelledCase, found: list[LabelledCase], possible: int, among: int) -> Answer:
    ranks = [rank for rank, other in enumerate(found, start=1) if relevant(item, other)]
    return Answer(
        relevant=tuple(relevant(item, other) for other in found[:K]),
        possible=possible,
        first=ranks[0] if ranks else None,
        foreign=sum(other.category != item.category for other in found[:K]),
        chance=possible / max(1, len(found) or among),
    )


def figures(answers: Iterable[Answer]) -> dict[str, Any] | None:
    """Means over the questions that have anything to find; None when none has.

    ``p_at_5_of_possible`` divides by what could be found where that is less than five, so it can reach 1
    in a small category too; ``chance_p_at_5`` is what blind answers from the same cases would reach.
    """
    asked = [answer for answer in answers if answer.possible > 0]
    if not asked:
        return None
    return {
        "questions": len(asked),
        "p_at_1": round(fmean(sum(answer.relevant[:1]) for answer in asked), 4),
        "p_at_5": round(fmean(sum(answer.relevant) / K for answer in asked), 4),
        "p_at_5_of_possible": round(
            fmean(sum(answer.relevant) / min(K, answer.possible) for answer in asked), 4
        ),
        "highest_possible_p_at_5": round(fmean(min(K, answer.possible) / K for answer in asked), 4),
        "mrr": round(fmean(1 / answer.first if answer.first else 0.0 for answer in asked), 4),
        "chance_p_at_5": round(fmean(answer.chance for answer in asked), 4),
    }
