"""Every figure of one model on one category's test images."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anomalyos.core.errors import NotFound
from anomalyos.core.progress import Progress
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.features.patches import PatchExtractor
from anomalyos.images.decoding import ImageRejected, decode_mask, read_image
from anomalyos.models import versions as model_versions
from anomalyos.models.tables import ModelVersion
from anomalyos.patchcore import bootstrap, metrics
from anomalyos.patchcore.bundle import load_bundle
from anomalyos.patchcore.calibration import Calibration
from anomalyos.patchcore.metrics import Rate
from anomalyos.patchcore.model import PatchCoreModel
from anomalyos.products.dataset import CategoryData, Sample, load_category

REPORTED_ALPHAS = (0.05, 0.10)


@dataclass
class TestRun:
    """Scores, maps and masks gathered over a test set."""

    __test__ = False  # not a test, whatever its name suggests to a collector

    scores: list[float] = field(default_factory=list)
    defects: list[str] = field(default_factory=list)
    mapped: list[int] = field(default_factory=list)
    """Which of the scored images ``maps`` and ``masks`` are of."""
    maps: list[NDArray[np.float16]] = field(default_factory=list)
    masks: list[NDArray[np.bool_]] = field(default_factory=list)
    latencies_ms: list[float] = field(default_factory=list)
    rejected: list[dict[str, str]] = field(default_factory=list)


def evaluate_model(
    model: PatchCoreModel,
    calibration: Calibration,
    data: CategoryData,
    extractor: PatchExtractor,
    settings: Settings,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Figures on ``data.test``; those that need labels that are not there are None.

    The threshold comes from ``calibration`` alone. Latencies are of one image at a time, from pixels
    to anomaly map. ``maps`` are compared to masks at the recipe's input size.
    """
    run = run_test_set(model, data.test, extractor, settings, progress)
    defective = np.array([defect != "good" for defect in run.defects], dtype=bool)
    scores = np.array(run.scores, dtype=np.float64)
    pixels = pixel_figures(run)
    flagged = scores > calibration.threshold()
    return {
        "category": data.name,
        "synthetic": data.synthetic,
        "recipe": model.recipe.name,
        "input_size": model.recipe.input_size,
        "images": {
            "calibration": len(calibration.scores),
            "calibration_groups": calibration.group_count,
            "test_good": int((~defective).sum()),
            "test_defective": int(defective.sum()),
            "with_mask": sum(bool(mask.any()) for mask in run.masks),
            "rejected": run.rejected,
        },
        "image_auroc": metrics.image_auroc(defective, scores),
        "image_ap": metrics.image_average_precision(defective, scores),
        **pixels,
        "at_threshold": {
            "alpha": calibration.effective_alpha(),
            "threshold": calibration.threshold(),
            "f1": metrics.f1_at(defective, flagged),
            "recall": Rate(int((flagged & defective).sum()), int(defective.sum())).to_json(),
            "false_alarms": false_alarms(calibration, scores[~defective], calibration.effective_alpha()),
        },
        "bootstrap": bootstrap_figures(run, defective, scores),
        "test_scores": {
            "good": np.round(scores[~defective], 5).tolist(),
            "defective": np.round(scores[defective], 5).tolist(),
        },
        "false_alarms": {
            f"{alpha:g}": false_alarms(calibration, scores[~defective], alpha) for alpha in REPORTED_ALPHAS
        },
        "latency_ms": latency_figures(run.latencies_ms),
        "memory_bank": {"vectors": model.bank.size, "dims": model.bank.dims},
    }


def run_test_set(
    model: PatchCoreModel,
    samples: list[Sample],
    extractor: PatchExtractor,
    settings: Settings,
    progress: Progress | None = None,
) -> TestRun:
    """Score every sample, one at a time; an image that cannot be read is listed, not fatal."""
    run = TestRun()
    size = model.recipe.input_size
    for done, sample in enumerate(samples, start=1):
        try:
            image = read_image(sample.path, settings)
            mask = decode_mask(sample.mask_path, settings) if sample.mask_path else None
        except ImageRejected as error:
            run.rejected.append({"file": sample.path.name, "code": error.code, "reason": error.message})
            continue
        start = time.perf_counter()
        patches, _ = extractor.extract([image.rgb])
        result = model.score(patches[0])
        heat = model.heat(result)
        run.latencies_ms.append((time.perf_counter() - start) * 1000)
        run.scores.append(result.score)
        run.defects.append(sample.defect)
        if sample.defect == "good" or (mask is not None and mask.any()):
            # a defective image whose mask is missing or empty says nothing about pixels
            # half precision keeps 11 bits: far finer than the map, and half the memory
            run.mapped.append(len(run.scores) - 1)
            run.maps.append(heat.astype(np.float16))
            run.masks.append(resize_mask(mask, size))
        if progress is not None:
            progress(done, len(samples))
    return run


def resize_mask(mask: NDArray[np.bool_] | None, size: int) -> NDArray[np.bool_]:
    """``mask`` at (size, size) by nearest neighbour; all False for None (a good image)."""
    if mask is None:
        return np.zeros((size, size), dtype=bool)
    from PIL import Image

    resized = Image.fromarray(mask.astype(np.uint8)).resize((size, size), Image.Resampling.NEAREST)
    return np.asarray(resized).astype(bool)


def pixel_figures(run: TestRun) -> dict[str, float | None]:
    if not run.maps:
        return {"pixel_auroc": None, "aupro": None}
    maps, masks = np.stack(run.maps), np.stack(run.masks)
    return {"pixel_auroc": metrics.pixel_auroc(maps, masks), "aupro": metrics.aupro(maps, masks)}


def bootstrap_figures(
    run: TestRun, defective: NDArray[np.bool_], scores: NDArray[np.float64]
) -> dict[str, Any]:
    """Replicates of image AUROC and AUPRO; empty without good and defective images."""
    if defective.all() or not defective.any():
        return {}
    drawn = bootstrap.draws(defective)
    found = {"image_auroc": bootstrap.summary(bootstrap.auroc_replicates(defective, scores, drawn))}
    if any(mask.any() for mask in run.masks):
        curves = bootstrap.overlap_curves(np.stack(run.maps), np.stack(run.masks))
        chosen = drawn[:, run.mapped]
        found["aupro"] = bootstrap.summary(np.array([curves.aupro(weights) for weights in chosen]))
    return {"seed": bootstrap.SEED, **found}


def false_alarms(
    calibration: Calibration, normal_scores: NDArray[np.float64], alpha: float
) -> dict[str, Any]:
    """How often normal test images are flagged at ``alpha``, against what was promised."""
    rate = Rate(int((normal_scores > calibration.threshold(alpha)).sum()), len(normal_scores))
    promised = calibration.effective_alpha(alpha)
    return {"promised": promised, **rate.to_json(), "kept": rate.interval()[0] <= promised}


def latency_figures(latencies: list[float]) -> dict[str, Any]:
    """Median and 95th percentile in milliseconds; the first image, which pays for warming up, is left out."""
    steady = latencies[1:] or latencies
    if not steady:
        return {"p50": None, "p95": None, "n": 0}
    p50, p95 = np.percentile(steady, [50, 95])
    return {"p50": round(float(p50), 2), "p95": round(float(p95), 2), "n": len(steady)}


def evaluate_category(
    name: str, settings: Settings, store: Store, *, progress: Progress | None = None
) -> dict[str, Any]:
    """Evaluate the champion of ``name`` on the category's test images.

    Raises:
        NotFound: when the category has no images or no champion.
        BundleError: when the champion's bundle is damaged.
    """
    data = load_category(settings, name)
    with store.session(read_only=True) as session:
        champion = model_versions.champion(session, name)
    if champion is None:
        raise NotFound(f"{name} has no model yet.", f"Build one with 'anomalyos rebuild --category {name}'.")
    return evaluate_version(champion, data, settings, progress)


def evaluate_version(
    version: ModelVersion, data: CategoryData, settings: Settings, progress: Progress | None = None
) -> dict[str, Any]:
    """Figures of a stored version on ``data.test``, as ``evaluate_model``, with ``version`` and
    ``bundle_bytes``.

    Raises:
        BundleError: when the version's bundle is damaged.
    """
    bundle = load_bundle(settings.bundles_dir / version.bundle_path, version.bundle_sha256)
    extractor = PatchExtractor(bundle.recipe, settings)
    figures = evaluate_model(bundle.model, bundle.calibration, data, extractor, settings, progress)
    return {"version": version.version, **figures, "bundle_bytes": bundle.size_bytes()}
