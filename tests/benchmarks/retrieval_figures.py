"""Similar cases and routing measured in every way at once: what the weekly figures leave out.

The question asked with its region or its label, the photograph or the whole part held apart, categories
that share their looks, and each category in turn unknown to the router.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import fmean
from typing import Any

import numpy as np

from anomalyos.cases.appearance import RULE, Appearance
from anomalyos.cases.evaluation import QUERIES, Gathered, gather
from anomalyos.cases.measure import Answer, K, LabelledCase, answer_all, figures
from anomalyos.core.progress import StepProgress
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.features.embedders import get_image_embedder
from anomalyos.inspection.inspector import Inspector
from anomalyos.products.part_names import part_names
from tests.benchmarks.routing_figures import routing_figures

Answers = dict[tuple[str, str, str], list[Answer]]
PARTS = ("image", "part")
"""What a case and a question never share: the photograph, or the part that was photographed."""
LOOK_ALIKE_SHARE = 0.1
"""A category shares its looks with others when the flat search fills at least this share of its first
five answers with cases of other categories."""

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


def evaluate_everything(
    names: Sequence[str], settings: Settings, store: Store, progress: StepProgress | None = None
) -> dict[str, Any]:
    """Every retrieval figure over the categories ``names``, which need champions; JSON-able."""
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
    files = {
        category: [i.file for i in items if i.category == category]
        for category in {i.category for i in items}
    }
    parts = {category: part_names(names) for category, names in files.items()}
    groupings = {
        "image": lambda item: item.image,
        "part": lambda item: parts[item.category].get(item.file, item.image),
    }
    answers: Answers = {}
    for kind in QUERIES:
        for apart in PARTS:
            for mode in ("hierarchical", "flat"):
                answers[kind, apart, mode] = answer_all(
                    items,
                    vectors["mask"],
                    vectors[kind],
                    hierarchical=mode == "hierarchical",
                    apart=groupings[apart],
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


def _table(answers: Answers, chosen: list[bool]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for (kind, apart, mode), given in answers.items():
        picked = [answer for answer, yes in zip(given, chosen, strict=True) if yes]
        table.setdefault(kind, {}).setdefault(apart, {})[mode] = figures(picked)
    return table


def look_alikes(items: Sequence[LabelledCase], flat: Sequence[Answer]) -> list[str]:
    """Categories that the flat search confuses with others; see ``LOOK_ALIKE_SHARE``."""
    shares = {
        category: np.mean([a.foreign / K for i, a in zip(items, flat, strict=True) if i.category == category])
        for category in {item.category for item in items}
    }
    return sorted(category for category, share in shares.items() if share >= LOOK_ALIKE_SHARE)
