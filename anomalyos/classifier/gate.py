"""The gate: a classifier gives names only when it knows something, and no less than the one in use."""

from __future__ import annotations

from typing import Any

import numpy as np

from anomalyos.classifier.bundle import OutOfFold
from anomalyos.classifier.dataset import FEWEST_CASES, Labels
from anomalyos.classifier.scores import interval, macro_f1, part_draws, replicates
from anomalyos.models.gate import GateResult, interval_words, surely_worse


def judge(metrics: dict[str, Any], ours: OutOfFold, theirs: OutOfFold | None) -> GateResult:
    """Hold a new version against blind names, and against the version in use on the cases both know.

    Names drawn in proportion to the classes reach a macro F1 of 1 / classes, the most frequent name always
    less: the interval of a version that may be used lies above both.

    Args:
        metrics: as ``train.measure`` gives them.
        theirs: None when no version is in use.
    """
    found = metrics["macro_f1"]
    floor = max(metrics["majority_macro_f1"], metrics["chance_macro_f1"])
    words = f"Macro F1 {found['value']:.4f} ({found['low95']:.4f} to {found['high95']:.4f})"
    if found["low95"] <= floor:
        return GateResult(False, f"{words} is not surely above the {floor:.4f} of blind names.")
    if theirs is None:
        return GateResult(True, f"{words}, blind names {floor:.4f}. First classifier in use.")
    return _compared(words, ours, theirs)


def _compared(words: str, ours: OutOfFold, theirs: OutOfFold) -> GateResult:
    known = dict(zip(theirs.keys, theirs.given, strict=True))
    common = [place for place, key in enumerate(ours.keys) if key in known]
    if len(common) < FEWEST_CASES:
        return GateResult(True, f"{words}. Too few cases in common with the one in use to compare.")
    parts = [ours.parts[place] for place in common]
    truth, first, second, classes = _numbers(
        [ours.truth[place] for place in common],
        [ours.given[place] for place in common],
        [known[ours.keys[place]] for place in common],
    )
    draws = part_draws(parts)
    gaps = replicates(truth, first, classes, draws) - replicates(truth, second, classes, draws)
    low, high = interval(gaps)
    own, other = macro_f1(truth, first, classes), macro_f1(truth, second, classes)
    compared = (
        f"On the {len(common)} cases both know {own:.4f} against {other:.4f} of the one in use: "
        f"{interval_words(low, high)}."
    )
    return GateResult(not surely_worse(own, other, high), f"{words}. {compared}")


def _numbers(*columns: list[str]) -> tuple[Labels, Labels, Labels, int]:
    names = sorted({name for column in columns for name in column})
    number = {name: place for place, name in enumerate(names)}
    truth, first, second = (np.array([number[name] for name in column]) for column in columns)
    return truth, first, second, len(names)
