"""Retrieval and routing measured on the labelled test images of the categories at hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anomalyos.cases.appearance import RULE, Appearance, Place
from anomalyos.cases.crops import centre
from anomalyos.cases.labelled import LabelledDefect, read_labelled
from anomalyos.cases.measure import LOOK_ALIKE_SHARE, Answer, LabelledCase, answer_all, figures, look_alikes
from anomalyos.cases.measure_routing import routing_figures
from anomalyos.core.arrays import Float32Array
from anomalyos.core.geometry import Box
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.features.embedders import get_image_embedder
from anomalyos.features.recipes import get_recipe
from anomalyos.images.decoding import ImageRejected
from anomalyos.inspection.inspector import Examination, Inspector
from anomalyos.patchcore.regions import find_regions
from anomalyos.patchcore.router import ROUTER_RECIPE
from anomalyos.patchcore.scoring import anomaly_map
from anomalyos.products.dataset import GOOD, load_category
from anomalyos.products.part_names import part_names

Progress = Callable[[int, int, str], None]
"""Called with (images done, in all, category)."""
QUERIES = ("region", "mask")
"""What is asked with: the place the model finds, as in use, or the labelled one."""
PARTS = ("image", "part")
"""What a case and a question never share: the photograph, or the part that was photographed."""

REFERENCE = {
    "source": "README of the reference AnomalyOS project, its own figures",
    "p_at_5_hierarchical": 0.93,
    "p_at_5_flat": 0.61,
    "differs": "CLIP ViT-B/32 on the full 15 MVTec AD categories and 50 questions of its own choosing; here "
    "every labelled defect at hand is a question, the embedder is the one named above, and only two "
    "categories of MVTec AD are at hand, in part.",
}
NOTES = {
    "protocol": "Every labelled defect is a question once; all other labelled defects, filed by their "
    "mask's place, are the cases. Relevant: same category and same defect type. A case never shares its "
    "photograph ('image') or its part ('part') with the question.",
    "region": "The question looks at the middle of the strongest region the champion finds, as in use. "
    "The headline.",
    "mask": "The question looks at the middle of its own label: what a perfect region would give.",
    "part": "Magnetic tiles were shot at up to six exposures, so 'image' lets the same defect on the same "
    "tile answer. Tiles are told by runs of rising exposures in the file names: a heuristic.",
    "of_possible": "hazelnut and transistor hold one other relevant case at most, the samples four: "
    "p_at_5 cannot exceed highest_possible_p_at_5 there.",
    "chosen_on": "The embedder's layers and pooling and the sizes of the two views were chosen by these "
    "figures on these images, so they are somewhat kinder than a new product would be. No weight was trained "
    "on them.",
    "flat": "The embedder tells these products apart so well that the flat search hardly ever answers with "
    "another product: the hierarchy costs nothing and gains little here. 'look_alikes' lists, by its rule, "
    "where products do share looks.",
    "pcb": "One defect type only: within the category every answer is relevant by definition, so it tells of "
    "routing alone and is left out of 'real'.",
}


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
    names: Sequence[str], settings: Settings, store: Store, progress: Progress | None = None
) -> dict[str, Any]:
    """Every retrieval figure over the categories ``names``, which need champions; JSON-able.

    Raises:
        NotFound: a category is not there or has no model.
        WeightsMissing: the embedder's weights are not at hand.
    """
    embedder = get_image_embedder(settings)
    inspector = Inspector(settings, store)
    appearance = Appearance(embedder)
    gathered = gather(names, settings, inspector, appearance, progress)
    champions = inspector.champions
    bundles = {name: champions.load(version) for name, version in champions.pointers().items()}
    return {
        "embedder": {"name": embedder.name, "digest": embedder.digest, "dims": embedder.dims},
        "look": {"rule": RULE, "dims": appearance.dims},
        "notes": NOTES,
        "reference": REFERENCE,
        **retrieval_figures(gathered),
        "router": routing_figures(
            gathered.routes,
            {name: bundle.prototype for name, bundle in bundles.items()},
            {name: len(bundle.training_images) for name, bundle in bundles.items()},
        ),
    }


def retrieval_figures(gathered: Gathered) -> dict[str, Any]:
    """``headline``, ``sets`` and ``look_alikes`` of what was gathered."""
    items = gathered.items
    vectors = {kind: np.stack(looks) for kind, looks in gathered.looks.items()}
    answers: dict[tuple[str, str, str], list[Answer]] = {}
    for kind in QUERIES:
        for apart in PARTS:
            for mode in ("hierarchical", "flat"):
                answers[kind, apart, mode] = answer_all(
                    items,
                    vectors["mask"],
                    vectors[kind],
                    hierarchical=mode == "hierarchical",
                    apart=lambda item, apart=apart: getattr(item, apart),  # type: ignore[misc]
                )
    alike = look_alikes(items, answers["mask", "image", "flat"])
    sets = {name: _table(answers, chosen) for name, chosen in _sets(gathered, alike).items() if any(chosen)}
    real = sets.get("real") or sets.get("sample")
    touching = [hit for hit in gathered.on_defect if hit is not None]
    return {
        "headline": None if real is None else real["region"]["image"],
        "sets": sets,
        "strongest_region_touches_defect": round(fmean(touching), 4) if touching else None,
        "look_alikes": {
            "rule": f"the flat search asked with masks fills at least {LOOK_ALIKE_SHARE:.0%} of the "
            "category's first five answers with other categories",
            "categories": alike,
        },
    }


def _sets(gathered: Gathered, alike: list[str]) -> dict[str, list[bool]]:
    """Which questions count in which set of figures."""
    items = gathered.items
    types = Counter(item.category for item in {(i.category, i.defect_type): i for i in items}.values())
    real = [not item.synthetic and types[item.category] > 1 for item in items]
    chosen = {
        "real": real,
        "real_flagged": [a and b for a, b in zip(real, gathered.flagged, strict=True)],
        "sample": [item.synthetic for item in items],
        "look_alikes": [item.category in alike for item in items],
        "all": [True] * len(items),
    }
    for name in sorted(types):
        chosen[name] = [item.category == name for item in items]
    return chosen


def _table(answers: dict[tuple[str, str, str], list[Answer]], chosen: list[bool]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for (kind, apart, mode), given in answers.items():
        picked = [answer for answer, yes in zip(given, chosen, strict=True) if yes]
        table.setdefault(kind, {}).setdefault(apart, {})[mode] = figures(picked)
    return table


def gather(
    names: Sequence[str],
    settings: Settings,
    inspector: Inspector,
    appearance: Appearance,
    progress: Progress | None = None,
) -> Gathered:
    """Read, route and inspect every test image of the categories, as the inspector does it in use."""
    found = Gathered([], {kind: [] for kind in QUERIES}, [], [], [])
    datasets = [load_category(settings, name) for name in names]
    samples = [(data, sample) for data in datasets for sample in data.test]
    parts = {data.name: part_names([s.path.name for s in data.test if s.defect != GOOD]) for data in datasets}
    for done, (data, sample) in enumerate(samples):
        if progress is not None:
            progress(done, len(samples), data.name)
        try:
            labelled = read_labelled(sample, settings)
        except ImageRejected:
            continue
        found.routes.append((data.name, whole_embedding(labelled.image.rgb, inspector)))
        if sample.defect != GOOD:
            part = parts[data.name].get(sample.path.name, labelled.image.sha256)
            _gather_defect(found, labelled, data.synthetic, part, inspector, appearance)
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
    part: str,
    inspector: Inspector,
    appearance: Appearance,
) -> None:
    image, sample = labelled.image, labelled.sample
    seen = inspector.examine(image)
    region = strongest(seen, image.width, image.height)
    found_at = Place(image.rgb, None if region is None else centre(region))
    for kind, place in (("region", found_at), ("mask", labelled.place)):
        found.looks[kind].append(appearance.vectors([place])[0])
    limit = seen.bundle.calibration.threshold() if seen.bundle is not None else None
    found.flagged.append(limit is not None and seen.score is not None and seen.score > limit)
    tight = labelled.tight
    found.on_defect.append(None if tight is None or region is None else touch(region, tight))
    found.items.append(
        LabelledCase(image.sha256, part, sample.category, sample.defect, synthetic, seen.route.category)
    )


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
