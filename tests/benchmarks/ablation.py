"""How small a coreset may be: its ratio against image AUROC, AUPRO, search time and bytes.

Each point is a run of MLflow's experiment ``patchcore``, nested in one of its category.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.benchmarks.home import SHARED, prepare
from tests.benchmarks.record import write_result

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anomalyos.core.settings import Settings
    from anomalyos.features.recipes import Recipe
    from anomalyos.models.tracking import TrackedRun
    from anomalyos.patchcore.model import PatchCoreModel
    from anomalyos.products.dataset import Sample

CATEGORIES = ("magnetic_tile", "pcb", "hazelnut")
RATIOS = (0.0005, 0.001, 0.0025, 0.005, 0.01)
LARGEST = 8_000


def main() -> Path:
    from anomalyos.models.tracking import PATCHCORE, tracked_run

    if not SHARED.is_dir():
        raise SystemExit("The real images are not here: ../shared/data.")
    settings, _ = prepare(real=True)
    found: dict[str, Any] = {}
    for name in CATEGORIES:
        with tracked_run(
            settings, PATCHCORE, f"ablation {name}", tags={"anomalyos.ablation": name}
        ) as parent:
            found[name] = ablate(name, settings, parent)
    return write_result(
        "ablation",
        {
            "categories": found,
            "note": "Greedy coreset of the default recipe. search_ms: median of one image's patches against "
            "the bank, without the backbone. gap_*: against the largest bank, with the 95 % interval of "
            "paired bootstrap replicates over the test images.",
        },
    )


def ablate(name: str, settings: Settings, parent: TrackedRun) -> dict[str, Any]:
    from anomalyos.features.patches import PatchExtractor
    from anomalyos.features.recipes import get_recipe
    from anomalyos.learning.rebuild import learn
    from anomalyos.patchcore.model import PatchCoreModel
    from anomalyos.products.dataset import load_category

    data = load_category(settings, name)
    recipe = get_recipe("lite_448" if name == "pcb" else "lite")
    extractor = PatchExtractor(recipe, settings)
    learned = learn(data, extractor, settings, None)
    tested = features(data.test, extractor, settings)
    points = []
    for ratio in RATIOS:
        changed = recipe.model_copy(update={"coreset_ratio": ratio, "coreset_max": LARGEST})
        begun = time.perf_counter()
        model = PatchCoreModel.fit(learned.patches, changed)
        built = time.perf_counter() - begun
        points.append(measure(model, changed, tested, built))
        keep(settings, name, parent, points[-1])
        sys.stderr.write(f"{name} {ratio}: {points[-1]['image_auroc']:.4f} ({built:.0f} s)\n")
    return {"training_patches": int(np.prod(learned.patches.shape[:3])), "points": with_gaps(points)}


def features(
    samples: list[Sample], extractor: Any, settings: Settings
) -> list[tuple[Any, bool, NDArray[np.bool_]]]:
    """Patches, whether it is defective, and mask of each test image."""
    from anomalyos.images.decoding import decode_mask, read_image
    from anomalyos.models.evaluation import resize_mask

    size, found = extractor.recipe.input_size, []
    for sample in samples:
        image = read_image(sample.path, settings)
        mask = decode_mask(sample.mask_path, settings) if sample.mask_path else None
        found.append((extractor.extract([image.rgb])[0][0], sample.defect != "good", resize_mask(mask, size)))
    return found


def measure(
    model: PatchCoreModel, recipe: Recipe, tested: list[tuple[Any, bool, NDArray[np.bool_]]], built: float
) -> dict[str, Any]:
    from anomalyos.patchcore import bootstrap, metrics

    scores, maps, masks, spent, mapped = [], [], [], [], []
    for number, (patches, defective, mask) in enumerate(tested):
        begun = time.perf_counter()
        result = model.score(patches)
        spent.append((time.perf_counter() - begun) * 1000)
        scores.append(result.score)
        if not defective or mask.any():
            maps.append(model.heat(result).astype(np.float16))
            masks.append(mask)
            mapped.append(number)
    truth = np.array([defective for _, defective, _ in tested])
    values, heat, where = np.array(scores), np.stack(maps), np.stack(masks)
    drawn = bootstrap.draws(truth)
    curves = bootstrap.overlap_curves(heat, where)
    return {
        "coreset_ratio": recipe.coreset_ratio,
        "vectors": model.bank.size,
        "bytes": model.bank.size * model.bank.dims * 4,
        "build_s": round(built, 2),
        "search_ms": round(float(np.median(spent)), 2),
        "image_auroc": metrics.image_auroc(truth, values),
        "aupro": metrics.aupro(heat, where),
        "_auroc": bootstrap.auroc_replicates(truth, values, drawn),
        "_aupro": np.array([curves.aupro(weights) for weights in drawn[:, mapped]]),
    }


def with_gaps(points: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The points with their distance to the largest bank instead of their replicates."""
    from anomalyos.patchcore.bootstrap import interval

    largest = points[-1]
    rows = []
    for point in points:
        row = {key: value for key, value in point.items() if not key.startswith("_")}
        for key, drawn in (("image_auroc", "_auroc"), ("aupro", "_aupro")):
            low, high = interval(point[drawn] - largest[drawn])
            row[f"gap_{key}"] = [round(point[key] - largest[key], 4), round(low, 4), round(high, 4)]
        rows.append(row)
    return rows


def keep(settings: Settings, name: str, parent: TrackedRun, point: dict[str, Any]) -> None:
    from anomalyos.models.tracking import PATCHCORE, tracked_run

    title, params = f"{name} {point['coreset_ratio']}", {"coreset_ratio": point["coreset_ratio"]}
    with tracked_run(settings, PATCHCORE, title, params=params, parent=parent.run_id) as run:
        run.log_metrics({key: value for key, value in point.items() if not key.startswith("_")})
