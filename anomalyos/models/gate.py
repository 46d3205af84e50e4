"""The gate: a challenger inspects only when it is no worse than the champion on the same images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from anomalyos.core.settings import Settings

NEGLIGIBLE = 0.002
"""A fall that is smaller matters to nobody, however sure it is."""
AUROC_SLACK = 0.01
AUPRO_SLACK = 0.02
"""For figures without replicates: how far they may fall."""


def surely_worse(ours: float, theirs: float, high: float) -> bool:
    """Whether a figure fell by more than is negligible, ``high`` being the upper end of the 95 % interval of
    the difference."""
    return high < 0 and theirs - ours > NEGLIGIBLE


def interval_words(low: float, high: float) -> str:
    """``-0.0200 to +0.0100 (95 %)``"""
    return f"{low:+.4f} to {high:+.4f} (95 %)"


@dataclass(frozen=True)
class Limits:
    """What a model may cost; infinite where nobody said."""

    latency_ms: float = float("inf")
    """Median of one image, from pixels to anomaly map."""
    bundle_bytes: float = float("inf")

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        return cls(settings.gate_latency_ms, settings.gate_bundle_mb * 1e6)


@dataclass(frozen=True)
class Criterion:
    name: str
    passed: bool
    words: str
    """One sentence."""


@dataclass(frozen=True)
class GateResult:
    passed: bool
    reason: str
    criteria: tuple[Criterion, ...] = ()

    def to_json(self) -> dict[str, Any]:
        criteria = [vars(criterion) for criterion in self.criteria]
        return {"passed": self.passed, "reason": self.reason, "criteria": criteria}


def judge(
    challenger: dict[str, Any],
    champion: dict[str, Any] | None,
    *,
    limits: Limits | None = None,
    bundle_bytes: int | None = None,
) -> GateResult:
    """Compare two evaluations of the same held-out images (see :mod:`anomalyos.models.evaluation`).

    Image AUROC and AUPRO must not fall: with the bootstrap replicates of both, paired because the same images
    were drawn for both, their difference must not lie below zero with 95 % confidence. The promise of false
    alarms must not be broken, and latency and size must stay within ``limits``. The first model of a category
    has nothing to be worse than: it passes, and its reason names what it breaks.
    """
    limits = limits or Limits()
    measured = (_false_alarms(challenger), _latency(challenger, limits), _size(bundle_bytes, limits))
    costs = [found for found in measured if found is not None]
    if champion is None:
        broken = [criterion.words for criterion in costs if not criterion.passed]
        return GateResult(True, " ".join(["First model of this category.", *broken]), tuple(costs))
    figures = (("image_auroc", "Image AUROC", AUROC_SLACK), ("aupro", "AUPRO", AUPRO_SLACK))
    judged = [_compared(challenger, champion, *figure) for figure in figures]
    compared = [found for found in judged if found is not None]
    criteria = (*compared, *costs)
    failed = [criterion for criterion in criteria if not criterion.passed]
    if failed:
        return GateResult(False, " ".join(criterion.words for criterion in failed), criteria)
    if not compared:
        return GateResult(True, "No labelled test images to compare on.", criteria)
    return GateResult(True, " ".join(criterion.words for criterion in criteria), criteria)


def _compared(
    challenger: dict[str, Any], champion: dict[str, Any], key: str, name: str, slack: float
) -> Criterion | None:
    ours, theirs = challenger.get(key), champion.get(key)
    if ours is None or theirs is None:
        return None
    values = f"{ours:.4f} against the champion's {theirs:.4f}"
    gap = paired_gap(challenger, champion, key)
    if gap is None:
        if ours < theirs - slack:
            return Criterion(key, False, f"{name} fell from {theirs:.4f} to {ours:.4f}, more than {slack}.")
        return Criterion(key, True, f"{name} {values}.")
    low, high = gap
    between = interval_words(low, high)
    if surely_worse(ours, theirs, high):
        return Criterion(key, False, f"{name} fell from {theirs:.4f} to {ours:.4f}: by {between}.")
    return Criterion(key, True, f"{name} {values}: {between}.")


def paired_gap(challenger: dict[str, Any], champion: dict[str, Any], key: str) -> tuple[float, float] | None:
    """95 % interval of challenger minus champion; None unless the same images were drawn for both."""
    replicates = []
    for figures in (challenger, champion):
        drawn = figures.get("bootstrap") or {}
        values = (drawn.get(key) or {}).get("replicates")
        if not values:
            return None
        replicates.append(np.array(values, dtype=np.float64))
    ours, theirs = replicates
    tested = challenger.get("test_hash")
    if tested is None or tested != champion.get("test_hash") or len(ours) != len(theirs):
        return None
    low, high = np.nanquantile(ours - theirs, [0.025, 0.975])
    return float(low), float(high)


def _false_alarms(figures: dict[str, Any]) -> Criterion | None:
    """The promise is broken only when the rate is above it for certain: few good images prove nothing."""
    found = (figures.get("at_threshold") or {}).get("false_alarms")
    if not found or not found["of"]:
        return None
    word = "alarm" if found["hits"] == 1 else "alarms"
    counted = f"{found['hits']} false {word} in {found['of']} good images, {found['promised']:.1%} promised"
    if not found["kept"]:
        return Criterion("false_alarms", False, f"The promise is broken: {counted}.")
    return Criterion("false_alarms", True, f"{counted[0].upper()}{counted[1:]}.")


def _latency(figures: dict[str, Any], limits: Limits) -> Criterion | None:
    median = (figures.get("latency_ms") or {}).get("p50")
    if median is None:
        return None
    words = f"An image takes {median:.0f} ms"
    if median > limits.latency_ms:
        return Criterion("latency", False, f"{words}, more than the {limits.latency_ms:.0f} ms allowed.")
    return Criterion("latency", True, f"{words}.")


def _size(count: int | None, limits: Limits) -> Criterion | None:
    if count is None:
        return None
    words = f"The bundle is {count / 1e6:.1f} MB"
    if count > limits.bundle_bytes:
        return Criterion("size", False, f"{words}, more than the {limits.bundle_bytes / 1e6:.0f} MB allowed.")
    return Criterion("size", True, f"{words}.")
