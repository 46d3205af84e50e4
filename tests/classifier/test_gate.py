"""The gate: nothing that knows nothing, nothing that is worse."""

from __future__ import annotations

from typing import Any

import numpy as np

from anomalyos.classifier.bundle import OutOfFold
from anomalyos.classifier.gate import judge
from anomalyos.classifier.scores import macro_f1, with_interval

NAMES = ("spot", "stain")


def seen(wrong: float, seed: int = 0, count: int = 60, first: int = 0) -> OutOfFold:
    """Names of ``count`` cases, a share of them wrong."""
    truth = np.arange(count) % 2
    mistaken = np.random.default_rng(seed).permutation(count) < round(wrong * count)
    given = np.where(mistaken, 1 - truth, truth)
    return OutOfFold(
        tuple(f"case {first + i}" for i in range(count)),
        tuple(f"part {first + i}" for i in range(count)),
        tuple(NAMES[i] for i in truth),
        tuple(NAMES[i] for i in given),
    )


def metrics(found: OutOfFold) -> dict[str, Any]:
    truth = np.array([NAMES.index(name) for name in found.truth])
    given = np.array([NAMES.index(name) for name in found.given])
    return {
        "macro_f1": with_interval(truth, given, 2, found.parts),
        "majority_macro_f1": macro_f1(truth, np.zeros_like(truth), 2),
        "chance_macro_f1": 0.5,
    }


def test_the_first_one_that_knows_something_passes() -> None:
    found = seen(0.1)
    judgement = judge(metrics(found), found, None)
    assert judgement.passed
    assert "First classifier" in judgement.reason


def test_guessing_is_refused_although_it_beats_the_most_frequent_name() -> None:
    found = seen(0.45)
    figures = metrics(found)
    assert figures["macro_f1"]["value"] > figures["majority_macro_f1"]
    judgement = judge(figures, found, None)
    assert not judgement.passed
    assert "blind names" in judgement.reason


def test_one_that_is_surely_worse_is_refused() -> None:
    ours, theirs = seen(0.25), seen(0.02, seed=1)
    judgement = judge(metrics(ours), ours, theirs)
    assert not judgement.passed
    assert "0.7483 against 0.9833" in judgement.reason


def test_one_that_may_be_as_good_or_is_better_passes() -> None:
    ours = seen(0.12, seed=2)
    assert judge(metrics(ours), ours, seen(0.08, seed=3)).passed
    assert judge(metrics(ours), ours, seen(0.3, seed=4)).passed


def test_they_are_compared_on_the_cases_both_know() -> None:
    ours = seen(0.1, count=40)
    theirs = seen(0.0, count=30, first=30)
    judgement = judge(metrics(ours), ours, theirs)
    assert "On the 10 cases both know" in judgement.reason
    few = judge(metrics(ours), ours, seen(0.0, count=30, first=38))
    assert few.passed
    assert "Too few cases in common" in few.reason


def test_a_name_only_one_of_them_knows_counts_as_wrong_for_it() -> None:
    ours = seen(0.0)
    theirs = OutOfFold(ours.keys, ours.parts, ours.truth, ("crack",) * 60)
    judgement = judge(metrics(ours), ours, theirs)
    assert judgement.passed
    assert "1.0000 against 0.0000" in judgement.reason
