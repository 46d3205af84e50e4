"""How often a quiet line is called drift, and how small a change is noticed, under the rules shipped.

On magnetic_tile: the model learns half of the tiles; images of the others, and the good test images, are the
line. For each seed the tiles come in another order: the first 200 images are the reference, the next 200
current, so that no tile is on both sides. Then the current ones, or a share of them, are taken under another
lamp or out of focus.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.stats import wasserstein_distance

from anomalyos.drift.comparison import tables
from anomalyos.drift.rules import METRICS, DriftRules
from anomalyos.drift.windows import Observation
from anomalyos.quality import picture_figures
from tests.benchmarks.home import SHARED, prepare
from tests.benchmarks.record import write_result

CATEGORY = "magnetic_tile"
SEEDS = 100
SHARES = (0.25, 0.5, 1.0)
Picture = NDArray[np.uint8]


def darker(share: float) -> Callable[[Picture], Picture]:
    return lambda rgb: np.rint(rgb * (1 - share)).astype(np.uint8)


def softer(sigma: float) -> Callable[[Picture], Picture]:
    def blur(rgb: Picture) -> Picture:
        seen: Picture = np.rint(gaussian_filter(rgb.astype(np.float32), (sigma, sigma, 0))).astype(np.uint8)
        return seen

    return blur


CHANGES: dict[str, Callable[[Picture], Picture]] = {
    "5 % darker": darker(0.05),
    "10 % darker": darker(0.10),
    "20 % darker": darker(0.20),
    "blur 0.5 px": softer(0.5),
    "blur 1 px": softer(1.0),
}


def main() -> Path:
    if not SHARED.is_dir():
        raise SystemExit("The real images are not here: ../shared/data.")
    settings, _ = prepare(real=True)
    look, samples = line(settings)
    groups = [sample.group for sample in samples]
    quiet = observe(look, samples, settings, lambda rgb: rgb)
    rules = DriftRules()
    found: dict[str, Any] = {"images": len(samples), "tiles": len(set(groups)), "splits": SEEDS}
    found["quiet"] = rates(quiet, quiet, groups, rules, 1.0)
    for name, change in CHANGES.items():
        changed = observe(look, samples, settings, change)
        found[name] = {f"{share:g}": rates(quiet, changed, groups, rules, share) for share in SHARES}
        sys.stderr.write(f"{name}: {found[name]}\n")
    return write_result(
        "drift",
        {
            CATEGORY: found,
            "rules": rules.model_dump(mode="json"),
            "note": "share of the splits in which drift is found, by any metric and by each; the product "
            "predicted is left out, one category has only itself. Splits share images, so they are not "
            "independent.",
        },
    )


def line(settings: Any) -> tuple[Callable[[Picture], tuple[float, NDArray[np.float32]]], list[Any]]:
    """A model of half of the training tiles, and the good images it has not seen."""
    from anomalyos.features.patches import PatchExtractor
    from anomalyos.features.recipes import get_recipe
    from anomalyos.patchcore.model import PatchCoreModel
    from anomalyos.products.dataset import load_category

    data = load_category(settings, CATEGORY)
    recipe = get_recipe("lite")
    extractor = PatchExtractor(recipe, settings)
    names = sorted({sample.group for sample in data.train})
    learned = set(np.random.default_rng(0).permutation(names)[: len(names) // 2])
    patches = stack(extractor, [sample for sample in data.train if sample.group in learned], settings)
    model = PatchCoreModel.fit(patches, recipe)

    def look(rgb: Picture) -> tuple[float, NDArray[np.float32]]:
        own, whole = extractor.extract([rgb])
        return float(model.score(own[0]).score), whole[0].cpu().numpy()

    unseen = [sample for sample in data.train if sample.group not in learned]
    return look, [*unseen, *(sample for sample in data.test if sample.defect == "good")]


def stack(extractor: Any, samples: list[Any], settings: Any) -> Any:
    import torch

    from anomalyos.images.decoding import read_image

    return torch.cat([extractor.extract([read_image(sample.path, settings).rgb])[0] for sample in samples])


def observe(
    look: Callable[[Picture], tuple[float, NDArray[np.float32]]],
    samples: list[Any],
    settings: Any,
    change: Callable[[Picture], Picture],
) -> list[Observation]:
    from anomalyos.images.decoding import read_image

    rows = []
    for sample in samples:
        rgb = change(read_image(sample.path, settings).rgb)
        score, embedding = look(rgb)
        figures = picture_figures.measure(rgb)
        rows.append(Observation(score, CATEGORY, figures.brightness, figures.sharpness, embedding))
    return rows


def rates(
    quiet: list[Observation], changed: list[Observation], groups: list[str], rules: DriftRules, share: float
) -> dict[str, float]:
    """Share of the splits in which drift is found when ``share`` of the current images are changed ones."""
    counts = dict.fromkeys(("any", *(name for name in METRICS if name != "category")), 0)
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        order = in_tiles(groups, rng)
        first, then = order[: rules.windows.reference], order[rules.windows.reference :]
        then = then[: rules.windows.current]
        touched = set(rng.permutation(then)[: round(share * len(then))])
        current = [changed[number] if number in touched else quiet[number] for number in then]
        moved = drifted([quiet[number] for number in first], current, rules)
        counts["any"] += bool(moved)
        for name in moved:
            counts[name] += 1
    return {name: count / SEEDS for name, count in counts.items()}


def in_tiles(groups: list[str], rng: np.random.Generator) -> list[int]:
    """Numbers of the images, tile after tile, the tiles in an order of their own."""
    rank = {name: place for place, name in enumerate(rng.permutation(sorted(set(groups))))}
    return sorted(range(len(groups)), key=lambda number: (rank[groups[number]], number))


def drifted(reference: list[Observation], current: list[Observation], rules: DriftRules) -> list[str]:
    """Metrics beyond their threshold: the distance Evidently computes, without its pages."""
    before, after = tables(reference, current)
    moved = []
    for name in (name for name in METRICS if name != "category"):
        distance = wasserstein_distance(before[name], after[name]) / before[name].std(ddof=0)
        if distance >= getattr(rules.metrics, name).threshold:
            moved.append(name)
    return moved
