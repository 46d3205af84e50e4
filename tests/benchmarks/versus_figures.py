"""What ``versus_anomalib`` works out of its measurements: means, ratios of rounds, and who is ahead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean, median
from typing import Any

JUDGES = ("patchcore", "anomaly_dino")
"""anomalib's models with the same bank; the better of the two is what ours are held against."""


def summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Mean image AUROC of each model that has one on all products, and ours against the better judge."""
    aurocs = {row["product"]: auroc_of_each(row["models"]) for row in rows}
    models = dict.fromkeys(model for found in aurocs.values() for model in found)
    means = {
        model: round(fmean(found[model] for found in aurocs.values()), 4)
        for model in models
        if all(model in found for found in aurocs.values())
    }
    ours = [model for model in models if not model.startswith(JUDGES)]
    return {
        "products": len(rows),
        "mean_image_auroc": means,
        "against_the_better_judge": {model: against(aurocs, model) for model in ours},
    }


def auroc_of_each(models: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """AUROC by model, converted ones as models of their own."""
    found = {name: each["image_auroc"] for name, each in models.items() if "image_auroc" in each}
    converted = {
        f"{name}_openvino": each["openvino"]["image_auroc"]
        for name, each in models.items()
        if "openvino" in each
    }
    return found | converted


def against(aurocs: Mapping[str, Mapping[str, float]], model: str) -> dict[str, Any]:
    """``model`` against the judge with the higher mean, over the products all of them have figures on."""
    common = {
        product: found
        for product, found in aurocs.items()
        if model in found and all(j in found for j in JUDGES)
    }
    if not common:
        return {"products": 0}
    means = {name: fmean(found[name] for found in common.values()) for name in (*JUDGES, model)}
    judge = max(JUDGES, key=lambda name: means[name])
    gaps = {product: round(found[model] - found[judge], 4) for product, found in common.items()}
    return {
        "products": len(common),
        "judge": judge,
        "mean": round(means[model], 4),
        "judge_mean": round(means[judge], 4),
        "lower_on": {product: gap for product, gap in gaps.items() if gap < 0},
        "below_both_on": sorted(
            product for product, found in common.items() if all(found[model] < found[j] for j in JUDGES)
        ),
    }


def of_rounds(rounds: Mapping[str, Sequence[float]], pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Milliseconds of each form, and ratios of pairs round by round.

    Args:
        rounds: for each form one figure a round, in the order of the rounds.
        pairs: (ours, theirs); a ratio is theirs over ours, so above 1 ours is faster.
    """
    forms = {
        form: {"median_ms": round(median(values), 2), "best_ms": round(min(values), 2)}
        for form, values in rounds.items()
        if values
    }
    ratios = {}
    for ours, theirs in pairs:
        if rounds.get(ours) and rounds.get(theirs):
            each = [b / a for a, b in zip(rounds[ours], rounds[theirs], strict=True)]
            ratios[f"{theirs} / {ours}"] = {
                "median": round(median(each), 2),
                "lowest": round(min(each), 2),
                "highest": round(max(each), 2),
            }
    return {"forms": forms, "ratios": ratios}


def times(theirs: float | None, ours: float | None, digits: int = 2) -> float | None:
    """How many times ``ours`` goes into ``theirs``; None where one is missing."""
    return round(theirs / ours, digits) if theirs and ours else None
