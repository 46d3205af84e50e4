"""``make bench ARGS=profile``: where one image spends its time, recipe by recipe, and what bounds it.

Everything runs in this process on the threads of the setting. The peak of the cores is measured beside it, by
a large float32 matrix product, so shares of it hold on this machine alone. Shares are of the best
times, which other work on the same cores disturbs least.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from anomalyos import PatchCore
from anomalyos.core.settings import PROJECT_ROOT, get_settings
from anomalyos.features.recipes import RECIPES
from tests.benchmarks.record import write_result
from tests.benchmarks.sides import timed

if TYPE_CHECKING:
    from torch import Tensor

BUILD = PROJECT_ROOT / "build" / "profile"
CATEGORY = "sample_hex_nut"
PROFILED = ("lite", "lite_448", "lite2", "dinov2_s", "dinov2_s_448")
"""Recipes whose weights come with the package."""
BANKS = (2_000, 10_000, 50_000, 250_000)
BATCHES = (1, 8, 16)
REPEATS = 15
SEARCHES = {1: 5, 16: 2}
"""Pictures whose patches are searched at once, and how often."""
MOST_AT_ONCE = 10_000
"""Vectors of the largest bank that sixteen pictures are searched in: beyond, one of them is work enough."""
MATRIX = 4096

Rgb = NDArray[np.uint8]


def main() -> Path:
    import torch

    threads = get_settings().threads
    torch.set_num_threads(threads)
    folder = drawn()
    peak = peak_gflops()
    recipes = {}
    for name in PROFILED:
        if name not in RECIPES:
            sys.stderr.write(f"{name} is left out: no such recipe\n")
            continue
        recipes[name] = profile(name, folder, peak)
        sys.stderr.write(f"{name}: {recipes[name]}\n")
    figures = {
        "threads": threads,
        "peak_gflops": peak,
        "recipes": recipes,
        "bank_sizes": {
            name: bank_sizes(found["grid"], found["width"], peak) for name, found in recipes.items()
        },
        "platform": platform(folder),
    }
    return write_result("profile", figures)


def drawn() -> Path:
    """The drawn product everything is measured on, ready in the layout of MVTec AD."""
    from anomalyos.products.sample import write_dataset

    write_dataset(BUILD / "data", categories=(CATEGORY,))
    return BUILD / "data" / CATEGORY


def peak_gflops() -> float:
    """Billions of float32 operations a second in a large matrix product: what these threads can reach."""
    import torch

    a, b = torch.rand(MATRIX, MATRIX), torch.rand(MATRIX, MATRIX)
    milliseconds = min(timed(lambda: a @ b, 5))
    return round(2 * MATRIX**3 / milliseconds / 1e6, 1)


def profile(name: str, folder: Path, peak: float) -> dict[str, Any]:
    """Milliseconds of each stage at batch 1, shares of the peak, and images a second."""
    files = sorted((folder / "test" / "good").iterdir())
    threads = get_settings().threads
    model = PatchCore.fit(folder / "train" / "good", recipe=name, threads=threads, device="cpu")
    pictures = decoded(files)
    stages, grid = one_image(model, files[0].read_bytes(), pictures[0])
    bank = model._model.bank
    network_flops = flops_of(model, pictures[0])
    search_flops = 2 * grid[0] * grid[1] * bank.dims * bank.size
    return {
        "input_size": model.recipe.input_size,
        "grid": grid,
        "width": bank.dims,
        "bank": bank.size,
        "stages_ms": stages,
        "torch_ms": in_torch(model, pictures[0]),
        "network_gflop": round(network_flops / 1e9, 2),
        "network_share_of_peak": share_of_peak(network_flops, stages["network"]["best"], peak),
        "search_gflop": round(search_flops / 1e9, 2),
        "search_share_of_peak": share_of_peak(search_flops, stages["search"]["best"], peak),
        "images_a_second": {str(batch): images_a_second(model, pictures, batch) for batch in BATCHES},
        "files_a_second": round(1000 / typical(lambda: model.inspect(files[1]))["median"], 1),
    }


def decoded(files: Sequence[Path]) -> list[Rgb]:
    from anomalyos.images.decoding import read_image

    return [read_image(path, get_settings()).rgb for path in files]


def one_image(model: PatchCore, data: bytes, rgb: Rgb) -> tuple[dict[str, dict[str, float]], list[int]]:
    """Milliseconds of every stage of one picture, in the order it goes; rows and columns of its patches."""
    from anomalyos.images.decoding import decode_image
    from anomalyos.patchcore.regions import flagged_regions

    extractor, core = model._extractor, model._model
    prepared = extractor.prepare(rgb)
    found: dict[str, Any] = {}

    def network() -> None:
        found["patches"], _ = extractor.extract([prepared])

    def search() -> None:
        found["scores"] = core.score(found["patches"][0])

    def heat() -> None:
        found["heat"] = core.heat(found["scores"])

    def regions() -> None:
        flagged_regions(found["heat"], model.calibration, found["scores"].score, (rgb.shape[1], rgb.shape[0]))

    stages: dict[str, Callable[[], object]] = {
        "decode": lambda: decode_image(data, get_settings()),
        "resize": lambda: extractor.prepare(rgb),
        "network": network,
        "search": search,
        "map": heat,
        "regions": regions,
    }
    spent = {name: typical(work) for name, work in stages.items()}
    return spent, list(found["patches"].shape[1:3])


def in_torch(model: PatchCore, rgb: Rgb) -> dict[str, dict[str, float]]:
    """The network in torch, which tells its two parts apart: the converted one is a single graph."""
    import torch

    from anomalyos.features.networks import patches_of

    network = model._extractor.network
    pixels = torch.from_numpy(model._extractor.prepare(rgb).copy())[None]
    with torch.inference_mode():
        maps = network.backbone(network.normalised(pixels))
        return {
            "backbone": typical(lambda: network.backbone(network.normalised(pixels))),
            "neighbourhood": typical(lambda: patches_of(maps, model.recipe)),
        }


def flops_of(model: PatchCore, rgb: Rgb) -> int:
    """Floating-point operations of one pass, a multiplication and an addition counted as two."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    pixels = torch.from_numpy(model._extractor.prepare(rgb).copy())[None]
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        model._extractor.network(pixels)
    return int(counter.get_total_flops())


def images_a_second(model: PatchCore, pictures: Sequence[Rgb], batch: int) -> float:
    """From decoded pictures to scores and maps."""
    together = list(pictures[:batch])

    def work() -> None:
        patches, _ = model._extractor.extract(together)
        for scores in model._model.score_many(patches):
            model._model.heat(scores)

    work()
    return round(1000 * batch / median(timed(work, max(3, REPEATS // batch))), 1)


def bank_sizes(grid: Sequence[int], width: int, peak: float) -> list[dict[str, Any]]:
    """Milliseconds an image of the search alone at each size of bank; random vectors are the same work."""
    import torch

    from anomalyos.patchcore.scoring import score_patches

    generator = torch.Generator().manual_seed(0)
    queries = {count: torch.rand(count, *grid, width, generator=generator) for count in SEARCHES}
    found = []
    for size in BANKS:
        bank = random_bank(size, width, grid)
        row: dict[str, Any] = {"vectors": size, "mib": round(size * width * 4 / 2**20)}
        for count, repeats in SEARCHES.items():
            if count > 1 and size > MOST_AT_ONCE:
                continue
            work = partial(score_patches, bank, queries[count], 0)
            spent = {name: ms / count for name, ms in typical(work, repeats).items()}
            row[f"ms_of_{count}"] = {name: round(ms, 2) for name, ms in spent.items()}
            flops = 2 * grid[0] * grid[1] * width * size
            row[f"share_of_peak_of_{count}"] = share_of_peak(flops, spent["best"], peak)
        found.append(row)
        sys.stderr.write(f"{row}\n")
    return found


def random_bank(size: int, width: int, grid: Sequence[int]) -> Any:
    import torch

    from anomalyos.patchcore.memory_bank import MemoryBank

    vectors: Tensor = torch.rand(size, width, generator=torch.Generator().manual_seed(1))
    return MemoryBank.build(vectors, torch.arange(size), (grid[0], grid[1]))


def platform(folder: Path) -> dict[str, Any]:
    """Stages of the platform's inspection, files and rows written: what the night does with every image."""
    from anomalyos.db.engine import open_store
    from anomalyos.inspection.batches import get_or_create
    from anomalyos.inspection.inspector import Inspector
    from anomalyos.learning.rebuild import rebuild_category
    from anomalyos.products.importer import import_dataset

    # always the same first night: nothing of an earlier run is in the database
    shutil.rmtree(BUILD / "home", ignore_errors=True)
    os.environ["ANOMALYOS_HOME"] = str(BUILD / "home")
    get_settings.cache_clear()
    settings = get_settings()
    store = open_store(settings)
    store.upgrade()
    import_dataset(folder, settings)
    rebuild_category(CATEGORY, settings, store, actor="benchmark")
    with store.session() as session:
        key = get_or_create(session, key="profile", kind="nightly", day="2026-11-24").key
    inspector = Inspector(settings, store)
    inspector.warm_up()
    bundle = inspector.champions.load(inspector.champions.pointers()[CATEGORY])
    stages: dict[str, list[float]] = {}
    for number, path in enumerate(sorted((folder / "test").rglob("*.png"))):
        start = time.perf_counter()
        row = inspector.inspect(path.read_bytes(), source=path.name + str(number), batch_key=key)
        spent = (time.perf_counter() - start) * 1000
        timings = {name: ms for name, ms in row.timings_ms.items() if name != "total"}
        for name, ms in {**timings, "store": spent - sum(timings.values()), "total": spent}.items():
            stages.setdefault(name, []).append(ms)
    return {
        "recipe": bundle.recipe.name,
        "images": len(stages["total"]),
        "stages_ms": {name: round(median(values), 2) for name, values in stages.items()},
    }


def typical(work: Callable[[], object], repeats: int = REPEATS) -> dict[str, float]:
    """Median and best milliseconds after a first call that does not count."""
    work()
    spent = timed(work, repeats)
    return {"median": round(median(spent), 3), "best": round(min(spent), 3)}


def share_of_peak(flops: float, milliseconds: float, peak: float) -> float:
    """Share of ``peak`` (billions of operations a second) that was reached."""
    return round(flops / milliseconds / 1e6 / peak, 3)
