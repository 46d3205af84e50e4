"""The gate: a challenger inspects only when it is no worse than the champion on the same images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

AUROC_SLACK = 0.01
AUPRO_SLACK = 0.02


@dataclass(frozen=True)
class GateResult:
    passed: bool
    reason: str

    def to_json(self) -> dict[str, Any]:
        return {"passed": self.passed, "reason": self.reason}


def judge(challenger: dict[str, Any], champion: dict[str, Any] | None) -> GateResult:
    """Compare two evaluations of the same held-out images (see :mod:`anomalyos.evaluation`).

    Without a champion, or without labelled test images, there is nothing to be worse than: the
    challenger passes and the reason says so.
    """
    if champion is None:
        return GateResult(True, "First model of this category.")
    compared = []
    for key, name, slack in (("image_auroc", "image AUROC", AUROC_SLACK), ("aupro", "AUPRO", AUPRO_SLACK)):
        ours, theirs = challenger.get(key), champion.get(key)
        if ours is None or theirs is None:
            continue
        compared.append(f"{name} {ours:.4f} against {theirs:.4f}")
        if ours < theirs - slack:
            return GateResult(False, f"{name} fell from {theirs:.4f} to {ours:.4f}, more than {slack} below.")
    if not compared:
        return GateResult(True, "No labelled test images to compare on.")
    return GateResult(True, "; ".join(compared) + ".")
