"""How good the router is: right category, and what becomes of products nobody taught it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

import numpy as np

from anomalyos.core.arrays import Float32Array
from anomalyos.patchcore.metrics import image_auroc
from anomalyos.patchcore.router import CategoryRouter, Prototype


def routing_figures(
    images: Sequence[tuple[str, Float32Array]],
    prototypes: Mapping[str, Prototype],
    learned_from: Mapping[str, int],
) -> dict[str, Any]:
    """Accuracy over all images, and each category in turn left out of the router, its images unknown.

    Args:
        images: (category, whole-image embedding (C,)) of test images, defective ones too.
        prototypes: of every category the router knows.
        learned_from: normal images behind each prototype.
    """
    names = [name for name, _ in images]
    embeddings = np.stack([embedding for _, embedding in images])
    router = CategoryRouter(dict(prototypes))
    routes = [router.route(embedding) for embedding in embeddings]
    figures: dict[str, Any] = {
        "images": len(names),
        "accuracy": round(fmean(r.category == name for r, name in zip(routes, names, strict=True)), 4),
        "nearest_is_right": round(fmean(r.nearest == name for r, name in zip(routes, names, strict=True)), 4),
        "refused_as_unknown": sum(r.category is None for r in routes),
        "level": "the floor lies at or below the least similar of n normal images, so an exchangeable normal "
        "image falls below it with a probability of at most 1 / (n + 1)",
        "highest_level": round(max(1 / (count + 1) for count in learned_from.values()), 4),
    }
    if len(prototypes) < 3:
        return figures
    left_out = {name: _leave_out(name, names, embeddings, prototypes) for name in sorted(set(names))}
    rows = [row for row in left_out.values() if row is not None]
    return figures | {
        "leave_one_category_out": {
            "decided_by": "similarity to the nearest prototype minus that category's floor",
            "mean_auroc": round(fmean(row["auroc"] for row in rows), 4),
            "lowest_auroc": min(row["auroc"] for row in rows),
            "mean_auroc_of_similarity_alone": round(fmean(row["auroc_of_similarity"] for row in rows), 4),
            "mean_unknown_refused_at_floor": round(fmean(row["unknown_refused"] for row in rows), 4),
            "mean_known_refused_at_floor": round(fmean(row["known_refused"] for row in rows), 6),
            "categories": left_out,
        }
    }


def _leave_out(
    unknown: str, names: Sequence[str], embeddings: Float32Array, prototypes: Mapping[str, Prototype]
) -> dict[str, float] | None:
    router = CategoryRouter({name: one for name, one in prototypes.items() if name != unknown})
    floors = dict(zip(router.names, router.floors, strict=True))
    routes = [router.route(embedding) for embedding in embeddings]
    strange = np.array([name == unknown for name in names])
    similarity = np.array([route.similarity for route in routes])
    margin = similarity - np.array([floors[route.nearest] for route in routes])
    refused = np.array([route.category is None for route in routes])
    auroc, plain = image_auroc(strange, -margin), image_auroc(strange, -similarity)
    if auroc is None or plain is None:
        return None
    return {
        "auroc": round(auroc, 4),
        "auroc_of_similarity": round(plain, 4),
        "unknown_refused": round(float(refused[strange].mean()), 4),
        "known_refused": round(float(refused[~strange].mean()), 4),
    }
