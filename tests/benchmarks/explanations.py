"""What each explanation is worth and costs, on every masked test defect at hand."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import fmean, median
from typing import Any

import numpy as np

from tests.benchmarks.home import prepare
from tests.benchmarks.record import write_result

METHODS = ("anomaly_map", "gradcam_pp", "hirescam", "centre", "random")
CURVES_PER_TYPE = {"magnetic_tile": 4, "pcb": 4}
"""Images of each defect type that deletion and insertion are measured on, the first of a seeded shuffle;
one of each type elsewhere, and all of the small real sets."""
ALL_CURVES = ("hazelnut", "transistor")
WORKERS = 2
GUIDE = {
    "pointing_game": "share of defects whose map peaks inside the mask (Zhang et al. 2016); for random the "
    "expected value, which is the mask's share of the image",
    "pointing_game_with_tolerance": "the same within 15 pixels per 500 of the image side",
    "deletion_auc": "Petsiuk et al. 2018, lower is better: hottest pixels replaced by the most similar "
    "normal training photograph, the seam feathered by 8 pixels of 224, in 12 quadratic steps; score on the "
    "scale from that photograph (0) to the defect (1), clipped; trapezoid over the share of pixels",
    "insertion_auc": "the reverse, higher is better: hottest pixels laid onto that normal photograph",
    "curves": "defects that deletion and insertion were measured on: all of hazelnut and transistor, else "
    "the first of a seeded shuffle of each defect type, 4 of magnetic_tile and pcb, 1 of the samples",
    "ms": "median time of one map on one thread beside another worker, photograph decoded, model loaded",
    "shap_held_out": "surrogate against real score on normal photographs and damaged copies, split by part",
    "shap_test": "surrogate against real score on all test images, which it was not fitted to",
    "trace_same_place": "share of defects whose most anomalous patch has its nearest normal patch within an "
    "eighth of the image side of the same place; by_chance: the same for all vectors of the bank",
}


def main() -> Path:
    """One process a category, two at a time; each is deterministic for itself."""
    from anomalyos.models.champions import Champions
    from anomalyos.products.dataset import load_category

    settings, store = prepare(real=True)
    names = sorted(Champions(settings, store).pointers(), key=lambda name: (name.startswith("sample_"), name))
    names.sort(key=lambda name: name not in ("magnetic_tile", "pcb"))
    os.environ["ANOMALYOS_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"
    # a fork would take over threads of torch and FAISS that do not exist in the child
    spawn = multiprocessing.get_context("spawn")
    rows: dict[str, dict[str, Any]] = {}
    records: dict[str, list[dict[str, Any]]] = {}
    with ProcessPoolExecutor(WORKERS, mp_context=spawn) as pool:
        for name, row, found in pool.map(measure_category, names):
            rows[name], records[name] = row, found
            sys.stderr.write(f"{name}: {row['maps']['anomaly_map']['pointing_game']}\n")
    synthetic = {name for name in names if load_category(settings, name).synthetic}
    pooled = [record for name in sorted(synthetic) for record in records[name]]
    real = [record for name in sorted(set(names) - synthetic) for record in records[name]]
    return write_result(
        "explanations",
        {
            "guide": GUIDE,
            "real_together": {"maps": summarise(real)},
            "samples_together": {"maps": summarise(pooled), **mean_fidelity(rows, synthetic)},
            "categories": {name: rows[name] for name in sorted(rows)},
        },
    )


def measure_category(name: str) -> tuple[str, dict[str, Any], list[dict[str, Any]]]:
    """Everything about one category: its row, and one record for each masked defect."""
    import torch

    from anomalyos.core.settings import get_settings
    from anomalyos.db.engine import open_store
    from anomalyos.models.champions import Champions
    from anomalyos.products.dataset import load_category

    settings = get_settings()
    torch.set_num_threads(settings.threads)
    champions = Champions(settings, open_store(settings))
    bundle = champions.load(champions.pointers()[name])
    extractor = champions.extractor(bundle.recipe)
    data = load_category(settings, name)
    records = measure_maps(data, bundle, extractor, settings)
    row = {
        "synthetic": data.synthetic,
        "input_size": bundle.recipe.input_size,
        "maps": summarise(records),
        "shap": measure_shap(data, bundle, extractor, settings),
        "trace": measure_trace(data, bundle, extractor, settings),
    }
    return name, row, records


def measure_maps(data: Any, bundle: Any, extractor: Any, settings: Any) -> list[dict[str, Any]]:
    from anomalyos.images.decoding import decode_mask, read_image
    from anomalyos.models.evaluation import resize_mask

    size = bundle.recipe.input_size
    curves = curve_files(data)
    pictures = normal_pictures(data, extractor, settings)
    records = []
    for number, sample in enumerate(data.test):
        if sample.mask_path is None:
            continue
        mask = resize_mask(decode_mask(sample.mask_path, settings), size)
        if not mask.any():
            continue
        rgb = read_image(sample.path, settings).rgb
        heats, spent = all_heats(rgb, bundle, extractor, number)
        record = {"pointing": pointing(heats, mask), "ms": spent, "curves": {}}
        if sample.path in curves:
            record["curves"] = curves_of(rgb, heats, bundle, extractor, pictures)
            record["asked"] = True
        records.append(record)
    return records


def all_heats(rgb: Any, bundle: Any, extractor: Any, seed: int) -> tuple[dict[str, Any], dict[str, float]]:
    """Heat of every method, and milliseconds of those that compute something."""
    from anomalyos.explain.gradcam import METHODS as GRADIENT_METHODS
    from anomalyos.explain.gradcam import explain_distance
    from tests.benchmarks import faithfulness

    size = bundle.recipe.input_size
    start = time.perf_counter()
    patches, _ = extractor.extract([rgb])
    heats = {"anomaly_map": bundle.model.heat(bundle.model.score(patches[0]))}
    spent = {"anomaly_map": (time.perf_counter() - start) * 1000}
    for method in GRADIENT_METHODS:
        start = time.perf_counter()
        heats[method] = explain_distance(method, rgb, bundle.model, extractor).values
        spent[method] = (time.perf_counter() - start) * 1000
    heats["centre"], heats["random"] = faithfulness.centre_map(size), faithfulness.random_map(size, seed)
    return heats, spent


def pointing(heats: dict[str, Any], mask: Any) -> dict[str, tuple[float, float]]:
    from tests.benchmarks import faithfulness

    wide = faithfulness.within(mask)
    found = {
        method: (float(faithfulness.points_inside(heat, mask)), float(faithfulness.points_inside(heat, wide)))
        for method, heat in heats.items()
    }
    return {**found, "random": (float(mask.mean()), float(wide.mean()))}


def curves_of(
    rgb: Any, heats: dict[str, Any], bundle: Any, extractor: Any, pictures: list[Any]
) -> dict[str, tuple[float, float]]:
    from tests.benchmarks import faithfulness

    score_many = faithfulness.scorer(bundle.model, extractor)
    image = extractor.prepare(rgb)
    normal = pictures[faithfulness.nearest_picture(image, pictures)]
    top, bottom = (float(score) for score in score_many([image, normal]))
    found = {
        method: faithfulness.deletion_insertion(image, normal, heat, score_many, (top, bottom))
        for method, heat in heats.items()
    }
    return {method: pair for method, pair in found.items() if pair is not None}


def curve_files(data: Any) -> set[Path]:
    """The stated subset: the same files in every run."""
    chosen: set[Path] = set()
    for defect in data.defects:
        files = [sample.path for sample in data.test if sample.defect == defect and sample.mask_path]
        order = np.random.default_rng(0).permutation(len(files))
        most = len(files) if data.name in ALL_CURVES else CURVES_PER_TYPE.get(data.name, 1)
        chosen.update(files[i] for i in order[:most])
    return chosen


def normal_pictures(data: Any, extractor: Any, settings: Any) -> list[Any]:
    from anomalyos.images.decoding import read_image

    return [extractor.prepare(read_image(sample.path, settings).rgb) for sample in data.train]


def measure_shap(data: Any, bundle: Any, extractor: Any, settings: Any) -> dict[str, Any]:
    from anomalyos.explain.readable import depth_by, measure
    from anomalyos.explain.shapley import explain_score
    from anomalyos.explain.surrogate import agreement, fit_surrogate
    from anomalyos.images.decoding import read_image

    depth = depth_by(settings)

    def read(entry: dict[str, str]) -> Any:
        return read_image(data.root / entry["path"], settings).rgb

    start = time.perf_counter()
    surrogate = fit_surrogate(bundle, extractor, read, depth)
    held_out = surrogate.fidelity
    seconds = time.perf_counter() - start
    limit = bundle.calibration.map_threshold
    scores, guessed, gaps, spent = [], [], [], []
    for sample in data.test:
        rgb = read_image(sample.path, settings).rgb
        patches, _ = extractor.extract([rgb])
        result = bundle.model.score(patches[0])
        heat = bundle.model.heat(result)
        start = time.perf_counter()
        figures = measure(rgb, heat, limit, surrogate.normality, depth)
        found = explain_score(surrogate, figures, result.score)
        spent.append((time.perf_counter() - start) * 1000)
        gaps.append(abs(found.base + sum(value.contribution for value in found.values) - found.output))
        scores.append(result.score)
        guessed.append(found.output)
    return {
        "held_out": held_out,
        "test": agreement(np.array(scores), np.array(guessed)),
        "largest_gap": float(f"{max(gaps):.2g}"),
        "fit_seconds": round(seconds, 1),
        "ms": round(median(spent), 1),
    }


def measure_trace(data: Any, bundle: Any, extractor: Any, settings: Any) -> dict[str, Any]:
    from anomalyos.explain.trace import trace
    from anomalyos.images.decoding import read_image

    near, spent, chance = [], [], []
    for sample in [sample for sample in data.test if sample.mask_path is not None]:
        image = read_image(sample.path, settings)
        start = time.perf_counter()
        pairs = trace(image.rgb, bundle, extractor, image_sha256=image.sha256, size_of=lambda _: (1000, 1000))
        spent.append((time.perf_counter() - start) * 1000)
        own = middle(pairs[0].place.box, (image.width, image.height))
        near.append(close(own, middle(pairs[0].neighbours[0].place.box, (1000, 1000))))
        side = extractor.recipe.input_size // 8
        places = (bundle.model.bank.origin[:, [2, 1]] + bundle.recipe.border + 0.5) / side
        chance.append(float((np.hypot(*(places - own).T) <= 1 / 8).mean()))
    return {
        "images": len(near),
        "same_place": round(fmean(near), 4),
        "by_chance": round(fmean(chance), 4),
        "ms": round(median(spent), 1),
    }


def middle(box: Any, size: tuple[int, int]) -> Any:
    return np.array([(box.x + box.width / 2) / size[0], (box.y + box.height / 2) / size[1]])


def close(one: Any, other: Any) -> bool:
    return bool(np.hypot(*(one - other)) <= 1 / 8)


def summarise(records: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """One row for each method over all records."""
    rows = {}
    asked = [record for record in records if record.get("asked")]
    for method in METHODS:
        hits = [record["pointing"][method] for record in records]
        pairs = [record["curves"][method] for record in asked if method in record["curves"]]
        spent = [record["ms"][method] for record in records if method in record["ms"]]
        rows[method] = {
            "defects": len(hits),
            "pointing_game": round(fmean(hit[0] for hit in hits), 4),
            "pointing_game_with_tolerance": round(fmean(hit[1] for hit in hits), 4),
            "deletion_auc": round(fmean(pair[0] for pair in pairs), 4) if pairs else None,
            "insertion_auc": round(fmean(pair[1] for pair in pairs), 4) if pairs else None,
            "curves": len(pairs),
            "curves_without_excess_score": len(asked) - len(pairs),
            "ms": round(median(spent), 1) if spent else None,
        }
    return rows


def mean_fidelity(rows: dict[str, dict[str, Any]], names: set[str]) -> dict[str, Any]:
    """Mean over categories of how the surrogates follow the score."""
    chosen = [rows[name]["shap"] for name in sorted(names)]
    return {
        f"mean_shap_{part}": {
            key: round(fmean(shap[part][key] for shap in chosen), 4) for key in ("r2", "spearman")
        }
        for part in ("held_out", "test")
    }
