"""What a reviewer's decisions are worth: half of the test images reviewed, the other half measured.

For each seed magnetic_tile's test images are halved by tile. The model learned from the training images flags
images of the first half; a reviewer who is always right calls the good ones among them false alarms, and they
are learned as normal. On the second half false alarms before and after are counted at the same recall.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.home import SHARED, prepare
from tests.benchmarks.record import write_result

CATEGORY = "magnetic_tile"
SEEDS = tuple(range(8))
ALPHAS = (0.05, 0.2)
"""The promise in use, and a loose one at which a reviewer sees, and teaches, more."""


@dataclass(frozen=True)
class Tested:
    """The test images: patches, truth, and the tile each shows."""

    patches: list[Any]
    defective: NDArray[np.bool_]
    groups: list[str]


def main() -> Path:
    from anomalyos.features.patches import PatchExtractor
    from anomalyos.features.recipes import get_recipe
    from anomalyos.learning.rebuild import learn
    from anomalyos.patchcore.folds import hold_out
    from anomalyos.patchcore.model import PatchCoreModel, cross_calibrate
    from anomalyos.products.dataset import load_category

    if not SHARED.is_dir():
        raise SystemExit("The real images are not here: ../shared/data.")
    settings, _ = prepare(real=True)
    data = load_category(settings, CATEGORY)
    recipe = get_recipe("lite")
    extractor = PatchExtractor(recipe, settings)
    learned = learn(data, extractor, settings, None)
    tested = read(data.test, extractor, settings)
    groups = [sample.group for sample in learned.samples]
    folds = hold_out(groups)
    calibration = cross_calibrate(learned.patches, groups, folds, recipe, settings.alpha)
    before = scores(PatchCoreModel.fit(learned.patches, recipe), tested)
    sys.stderr.write("the model before is there\n")
    results = {
        f"{alpha:g}": loop(learned.patches, recipe, tested, before, calibration.threshold(alpha))
        for alpha in ALPHAS
    }
    return write_result(
        "review_loop",
        {
            "category": CATEGORY,
            "alpha": results,
            "note": "reduction: false alarm rate before minus after on images nobody reviewed, at the recall "
            "the model before has there at its threshold; mean over the seeds with Student's 95 % interval. "
            "Halves of different seeds share images, so the interval is a little too narrow. A tile's "
            "photographs are never on both sides.",
        },
    )


def read(samples: list[Any], extractor: Any, settings: Any) -> Tested:
    from anomalyos.images.decoding import read_image

    patches = [extractor.extract([read_image(sample.path, settings).rgb])[0][0] for sample in samples]
    defective = np.array([sample.defect != "good" for sample in samples])
    return Tested(patches, defective, [sample.group for sample in samples])


def scores(model: Any, tested: Tested) -> NDArray[np.float64]:
    return np.array([model.score(patches).score for patches in tested.patches])


def halves(tested: Tested, seed: int) -> NDArray[np.bool_]:
    """Which images are reviewed: half of the tiles of the good ones, and half of the defective ones."""
    rng, reviewed = np.random.default_rng(seed), np.zeros(len(tested.groups), dtype=bool)
    for kind in (False, True):
        names = sorted(
            {name for name, bad in zip(tested.groups, tested.defective, strict=True) if bad == kind}
        )
        chosen = set(rng.permutation(names)[: len(names) // 2])
        reviewed |= np.array(
            [
                name in chosen and bad == kind
                for name, bad in zip(tested.groups, tested.defective, strict=True)
            ]
        )
    return reviewed


def loop(
    patches: Any, recipe: Any, tested: Tested, before: NDArray[np.float64], threshold: float
) -> dict[str, Any]:
    import torch

    from anomalyos.patchcore.model import PatchCoreModel

    rows = []
    for seed in SEEDS:
        reviewed = halves(tested, seed)
        alarms = np.flatnonzero(reviewed & ~tested.defective & (before > threshold))
        more = torch.cat([patches, *(tested.patches[number][None] for number in alarms)])
        after = scores(PatchCoreModel.fit(more, recipe), tested)
        rows.append(
            {"seed": seed, "learned": len(alarms), **compare(before, after, tested, reviewed, threshold)}
        )
        sys.stderr.write(f"seed {seed}: {rows[-1]}\n")
    return {
        "threshold": threshold,
        "seeds": rows,
        "reduction": mean_interval([row["reduction"] for row in rows]),
    }


def compare(
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    tested: Tested,
    reviewed: NDArray[np.bool_],
    threshold: float,
) -> dict[str, Any]:
    """False alarms on images that were not reviewed, at the recall the model before has there."""
    from sklearn.metrics import roc_auc_score

    good, bad = ~reviewed & ~tested.defective, ~reviewed & tested.defective
    hits = int((before[bad] > threshold).sum())
    # the highest threshold at which the model after finds as many
    same = np.sort(after[bad])[len(after[bad]) - hits] if hits else np.inf
    alarms_before, alarms_after = int((before[good] > threshold).sum()), int((after[good] >= same).sum())
    truth = tested.defective[~reviewed]
    return {
        "good": int(good.sum()),
        "recall": round(hits / int(bad.sum()), 4),
        "false_alarms_before": alarms_before,
        "false_alarms_after": alarms_after,
        "reduction": round((alarms_before - alarms_after) / int(good.sum()), 4),
        "auroc_before": round(float(roc_auc_score(truth, before[~reviewed])), 4),
        "auroc_after": round(float(roc_auc_score(truth, after[~reviewed])), 4),
    }


def mean_interval(values: list[float]) -> dict[str, float]:
    from scipy.stats import t

    mean, error = float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(len(values)))
    half = float(t.ppf(0.975, len(values) - 1)) * error
    return {"mean": round(mean, 4), "low95": round(mean - half, 4), "high95": round(mean + half, 4)}
