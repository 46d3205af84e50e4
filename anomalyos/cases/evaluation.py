"""Retrieval and routing measured on the labelled test images of the categories at hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anomalyos.cases.appearance import Appearance, FocusedImage
from anomalyos.cases.crops import centre
from anomalyos.cases.labelled import LabelledDefect, read_labelled
from anomalyos.cases.measure import LabelledCase, answer_all, figures
from anomalyos.core.arrays import Float32Array
from anomalyos.core.geometry import Box
from anomalyos.core.progress import StepProgress
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.features.embedders import get_image_embedder
from anomalyos.features.recipes import get_recipe
from anomalyos.images.decoding import ImageRejected
from anomalyos.inspection.examination import Examination
from anomalyos.inspection.inspector import Inspector
from anomalyos.patchcore.regions import find_regions
from anomalyos.patchcore.router import ROUTER_RECIPE, CategoryRouter
from anomalyos.patchcore.scoring import anomaly_map
from anomalyos.products.dataset import GOOD, load_category

QUERIES = ("region", "mask")
"""What is asked with: the place the model finds, as in use, or the labelled one."""


@dataclass
class Gathered:
    """Everything measured on, in one order."""

    items: list[LabelledCase]
    looks: dict[str, list[Float32Array]]
    """By query kind: vector of each."""
    flagged: list[bool]
    """Whether the model calls the image anomalous: in use, only those are asked about."""
    on_defect: list[bool | None]
    """Whether the strongest region touches the labelled defect; None without a mask."""
    routes: list[tuple[str, Float32Array]]
    """(category, whole-image embedding) of every test image, for the router."""


def evaluate_retrieval(
    names: Sequence[str], settings: Settings, store: Store, progress: StepProgress | None = None
) -> dict[str, Any]:
    """Retrieval and routing figures over the categories ``names``, which need champions; JSON-able.

    ``sets`` holds them by set of questions (``real`` and ``sample`` images, ``all``, each category), what
    was asked with, what no case shares with the question (the photograph), and search. Products with a
    single defect type are left out of ``real``: within them every answer is relevant.

    Raises:
        NotFound: a category is not there or has no model.
        WeightsMissing: the embedder's weights are not at hand.
    """
    embedder = get_image_embedder(settings)
    inspector = Inspector(settings, store)
    gathered = gather(names, settings, inspector, Appearance(embedder), progress)
    items = gathered.items
    answers = {
        (kind, mode): answer_all(
            items,
            np.stack(gathered.looks["mask"]),
            np.stack(gathered.looks[kind]),
            hierarchical=mode == "hierarchical",
            apart=lambda item: item.image,
        )
        for kind in QUERIES
        for mode in ("hierarchical", "flat")
        if items
    }
    sets: dict[str, Any] = {}
    for name, chosen in question_sets(items).items():
        for (kind, mode), given in answers.items():
            picked = [answer for answer, yes in zip(given, chosen, strict=True) if yes]
            if picked:
                sets.setdefault(name, {}).setdefault(kind, {"image": {}})["image"][mode] = figures(picked)
    champions = inspector.champions
    bundles = {name: champions.load(version) for name, version in champions.pointers().items()}
    router = CategoryRouter({name: bundle.prototype for name, bundle in bundles.items()})
    routed = [router.route(embedding).category == name for name, embedding in gathered.routes]
    return {
        "embedder": {"name": embedder.name, "digest": embedder.digest, "dims": embedder.dims},
        "sets": sets,
        "router": {"images": len(routed), "accuracy": round(fmean(routed), 4) if routed else None},
    }


def question_sets(items: Sequence[LabelledCase]) -> dict[str, list[bool]]:
    """Which questions count in which set of figures."""
    types = Counter(category for category, _ in {(item.category, item.defect_type) for item in items})
    chosen = {
        "real": [not item.synthetic and types[item.category] > 1 for item in items],
        "sample": [item.synthetic for item in items],
        "all": [True] * len(items),
    }
    for name in sorted(types):
        chosen[name] = [item.category == name for item in items]
    return chosen


def gather(
    names: Sequence[str],
    settings: Settings,
    inspector: Inspector,
    appearance: Appearance,
    progress: StepProgress | None = None,
) -> Gathered:
    """Read, route and inspect every test image of the categories, as the inspector does it in use."""
    found = Gathered([], {kind: [] for kind in QUERIES}, [], [], [])
    datasets = [load_category(settings, name) for name in names]
    samples = [(data, sample) for data in datasets for sample in data.test]
    for done, (data, sample) in enumerate(samples):
        if progress is not None:
            progress(data.name, done, len(samples))
        try:
            labelled = read_labelled(sample, settings)
        except ImageRejected:
            continue
        found.routes.append((data.name, whole_embedding(labelled.image.rgb, inspector)))
        if sample.defect != GOOD:
            _gather_defect(found, labelled, data.synthetic, inspector, appearance)
    return found


def whole_embedding(rgb: NDArray[np.uint8], inspector: Inspector) -> Float32Array:
    """What the router compares, (C,) float32 of unit length."""
    _, whole = inspector.champions.extractor(get_recipe(ROUTER_RECIPE)).extract([rgb])
    vector: Float32Array = whole[0].cpu().numpy()
    return vector


def _gather_defect(
    found: Gathered,
    labelled: LabelledDefect,
    synthetic: bool,
    inspector: Inspector,
    appearance: Appearance,
) -> None:
    image, sample = labelled.image, labelled.sample
    seen = inspector.examine(image)
    region = strongest(seen, image.width, image.height)
    found_at = FocusedImage(image.rgb, None if region is None else centre(region))
    for kind, place in (("region", found_at), ("mask", labelled.place)):
        found.looks[kind].append(appearance.vectors([place])[0])
    limit = seen.bundle.calibration.threshold() if seen.bundle is not None else None
    found.flagged.append(limit is not None and seen.score is not None and seen.score > limit)
    tight = labelled.tight
    found.on_defect.append(None if tight is None or region is None else touch(region, tight))
    facts = (sample.path.name, sample.category, sample.defect, synthetic, seen.route.category)
    found.items.append(LabelledCase(image.sha256, *facts))


def strongest(seen: Examination, width: int, height: int) -> Box | None:
    """The most anomalous region; where the map peaks when nothing was found, since a
    reviewer may still call the image defective. None for an image of no known category."""
    if seen.bundle is None:
        return None
    region: dict[str, Any]
    if seen.regions:
        region = seen.regions[0]
    else:
        recipe = seen.bundle.recipe
        heat = anomaly_map(
            seen.distances, size=recipe.input_size, border=recipe.border, sigma=recipe.smoothing_sigma
        )
        region = find_regions(heat, 0.95 * float(heat.max()), (width, height))[0].as_dict()
    return Box(**{side: region[side] for side in ("x", "y", "width", "height")})


def touch(a: Box, b: Box) -> bool:
    """Whether two boxes share a pixel."""
    return max(a.x, b.x) < min(a.x + a.width, b.x + b.width) and max(a.y, b.y) < min(
        a.y + a.height, b.y + b.height
    )
