"""What checks are called where people read them: page, console and command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from anomalyos.quality.tables import CheckOutcome, QuarantineState

OUTCOMES = {
    CheckOutcome.PASSED: "Passed: every image answers to the suite.",
    CheckOutcome.WARNED: "Passed with remarks: all images are used.",
    CheckOutcome.SET_ASIDE: "Some images are set aside; the others are used.",
    CheckOutcome.STOPPED: "Stopped: the suite says that this batch must not go on.",
    CheckOutcome.FAILED: "The check could not be made.",
}
STATES = {
    QuarantineState.HELD: "set aside",
    QuarantineState.RELEASED: "released",
    QuarantineState.KEPT_OUT: "kept out",
    QuarantineState.CLEARED: "no longer found",
}
_MEANS = {
    "quarantine": "set aside",
    "warn": "used all the same",
    "stop": "the batch stops",
}
_BECAME = {"quarantine": "set aside", "warn": "used", "stop": "stopped the batch"}


def outcome_words(outcome: str, released_by: str = "") -> str:
    """One sentence about what became of the batch."""
    if outcome == CheckOutcome.STOPPED and released_by:
        return f"The suite stopped this batch; {released_by} let it go on."
    return OUTCOMES[CheckOutcome(outcome)]


def result_words(result: Mapping[str, Any]) -> dict[str, str]:
    """``name``, ``section``, ``words`` and ``means`` of one result of a check."""
    unexpected, checked = int(result["unexpected"]), int(result["checked"])
    if result["rule"] == "enough_images":
        words = f"{checked} images" if result["passed"] else f"only {checked} images"
    elif unexpected:
        words = f"{unexpected} of {checked} are not as expected"
    else:
        words = f"all {checked} are as expected"
    tolerated = result.get("tolerated")
    means = _MEANS[result["severity"]]
    if tolerated is not None:
        means = f"the batch stops when it is more than {tolerated:.0%}"
    return {
        "name": str(result["title"]),
        "section": str(result["section"]),
        "words": words,
        "means": means,
    }


def became_words(finding: Mapping[str, Any], out: bool | None = None) -> str:
    """What became of a file; ``out`` tells whether it is set aside, where an engineer may have decided."""
    if out is not None and finding["aside_rules"]:
        return "set aside" if out else "released, used"
    return _BECAME[finding["severity"]]
