"""How sure a report may be: bounded by rules over the evidence, whoever writes it."""

from __future__ import annotations

from collections.abc import Iterable

from anomalyos.explain.evidence import Evidence
from anomalyos.reports.content import LEVELS, Confidence, Level

CLEAR = 1.25
"""Score over threshold from which a verdict counts as clear."""
ALIKE = 0.8
"""Similarity from which a past case counts as the same kind of defect."""


def bound(evidence: Evidence) -> Confidence:
    """The most confidence the evidence carries, with the reason.

    ``high`` needs a clear score, a past case of at least 0.80 similarity and a cause of at least 50 % that
    somebody established before; ``medium`` needs similar cases and known causes. Anything that puts the
    ground itself in doubt (no verdict, contradicted category) is ``low``. A normal part is ``high`` well
    below the threshold.
    """
    facts = evidence.inspection
    if facts.get("verdict") not in ("normal", "anomalous"):
        return Confidence(level="low", why="No model judged this image.")
    if facts.get("route_mismatch"):
        return Confidence(
            level="low", why="The picture looks like another product than the one it was delivered as."
        )
    score, threshold = facts.get("score"), facts.get("threshold")
    ratio = score / threshold if score is not None and threshold else 1.0
    if facts["verdict"] == "normal":
        clear = ratio * CLEAR <= 1
        why = "well below the threshold" if clear else "close to the threshold"
        return Confidence(level="high" if clear else "medium", why=f"The score lies {why}.")
    return _bound_defect(evidence, ratio)


def _bound_defect(evidence: Evidence, ratio: float) -> Confidence:
    lacking = [
        word
        for word, there in (("no similar case", evidence.similar), ("no known cause", evidence.causes))
        if not there
    ]
    if lacking:
        return Confidence(level="low", why=f"There is {' and '.join(lacking)} to go by.")
    best = max(case.similarity for case in evidence.similar)
    top = evidence.causes[0]
    doubts = [
        word
        for word, doubtful in (
            ("the score is close to the threshold", ratio < CLEAR),
            ("no past case is closely alike", best < ALIKE),
            ("no cause stands out", top.probability < 0.5),
            ("the first cause has not been established in a case yet", top.confirmed == 0),
        )
        if doubtful
    ]
    if doubts:
        words = ", and ".join(doubts)
        return Confidence(level="medium", why=f"{words[0].upper()}{words[1:]}.")
    return Confidence(
        level="high", why="The score is clear, a past case is closely alike, and its cause was established."
    )


def bounded(claimed: Confidence, evidence: Evidence, supported: Iterable[bool]) -> Confidence:
    """``claimed`` lowered to what the evidence and the share of supported statements carry.

    With any statement unsupported it is at most ``medium``, with more than a third of them ``low``.
    """
    checks = list(supported)
    unsupported = checks.count(False)
    limits = [bound(evidence)]
    if unsupported:
        level: Level = "low" if unsupported * 3 > len(checks) else "medium"
        limits.append(
            Confidence(level=level, why=f"{unsupported} of {len(checks)} statements are unsupported.")
        )
    limit = min(limits, key=lambda item: LEVELS.index(item.level))
    return limit if LEVELS.index(limit.level) < LEVELS.index(claimed.level) else claimed
