"""Times and memory of ``versus_anomalib``: a fit, one picture and sixteen, and what each holds meanwhile."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from tests.benchmarks.sides import Side, SideFailed, Stopped
from tests.benchmarks.versus_figures import of_rounds, times
from tests.benchmarks.versus_products import PATCH_STRIDE, SIZE, Product

BANK = 2000
FIT_SECONDS, FIT_MIB = 400, 14_000
"""What a fit may take before it is stopped, and said so."""
ROUNDS = 9
BATCHES = {1: 5, 16: 1}
"""Pictures at once, and calls in each round."""
FITTED_ON, SHOWN_ON = "pcb", "hazelnut"
"""Products whose pictures have one size: for the fits (enough of them), and for everything else."""


@dataclass(frozen=True)
class Fit:
    """One fit to time: recipe of ours, model of theirs, and how many pictures."""

    recipe: str
    model: str
    pictures: int

    @property
    def patches(self) -> int:
        return self.pictures * (SIZE // PATCH_STRIDE[self.model]) ** 2


FITS = (
    Fit("lite_whole_grid", "patchcore", 32),
    Fit("lite_whole_grid", "patchcore", 128),
    Fit("dinov2_s", "anomaly_dino", 98),
)


@dataclass(frozen=True)
class Sides:
    """Who takes turns; ``before`` is our code as it was, None where the checkout lacks that commit."""

    ours: Side
    theirs: Side
    before: Side | None
    weights: Mapping[str, str]
    build: Path


def measure(things: Sequence[Product], sides: Sides) -> dict[str, Any]:
    by_name = {product.name: product for product in things}
    fits = [measure_fit(each, by_name[FITTED_ON].train, sides) for each in FITS]
    forms = Forms(sides, by_name[SHOWN_ON])
    latency = forms.latency()
    return {"fit": fits, "latency": latency, "memory": forms.memory()}


def measure_fit(fit: Fit, pictures: Sequence[Path], sides: Sides) -> dict[str, Any]:
    """The same fit on both sides, each in a fresh process."""
    train = [str(path) for path in pictures[: fit.pictures]]
    limits = {"seconds": FIT_SECONDS, "mib": FIT_MIB}
    ours = in_fresh_process(
        sides.ours,
        lambda side: side.ask(
            "fit", recipe=fit.recipe, form="f", train=train, groups=None, size=SIZE, bank=BANK, **limits
        ),
    )
    theirs = in_fresh_process(
        sides.theirs,
        lambda side: side.ask(
            "fit",
            model=fit.model,
            form="f",
            train=train,
            size=SIZE,
            bank=BANK,
            patches=fit.patches,
            weights=sides.weights["lite" if fit.model == "patchcore" else "dino"],
            picks="own",
            **limits,
        ),
    )
    steps = ours.get("steps_s", {})
    found = {
        "recipe": fit.recipe,
        "model": fit.model,
        "pictures": len(train),
        "patches": fit.patches,
        "bank": BANK,
        "ours": ours,
        "anomalib": theirs,
        "times_faster_whole": times(theirs.get("whole_s"), ours.get("whole_s")),
        "times_faster_coreset": times(theirs.get("coreset_s"), steps.get("coreset")),
        "our_share_of_peak": times(ours.get("peak_mib"), theirs.get("peak_mib")),
    }
    sys.stderr.write(f"fit {fit}: {theirs.get('whole_s', theirs)} s against {ours.get('whole_s', ours)} s\n")
    return found


def in_fresh_process(side: Side, work: Callable[[Side], dict[str, Any]]) -> dict[str, Any]:
    """What ``work`` finds, with the process ended before and after; or why it found nothing."""
    side.close()
    try:
        return work(side)
    except Stopped as stopped:
        return {"stopped": str(stopped)}
    except SideFailed as error:
        return {"failed": str(error)}
    finally:
        side.close()


class Forms:
    """Everything that can score a picture of one product, learned once and kept in files."""

    def __init__(self, sides: Sides, product: Product) -> None:
        self._sides, self._product = sides, product
        self._folder = sides.build / "models"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._pixels = self._folder / "pixels.npy"
        self.side_of: dict[str, Side] = {}
        self.load_of: dict[str, dict[str, Any]] = {}
        """How a fresh process gets the form: a question."""
        self.bank_of: dict[str, int] = {}
        write_pixels(product, self._pixels)
        for recipe, bank in (("lite", None), ("lite_whole_grid", BANK), ("dinov2_s", None)):
            self._ours(sides.ours, recipe, recipe, bank)
        if sides.before is not None:
            self._ours(sides.before, "lite", "lite_before", None)
        self._theirs("patchcore", BANK)
        self._theirs("anomaly_dino", self.bank_of.get("dinov2_s", BANK))

    def _ours(self, side: Side, recipe: str, form: str, bank: int | None) -> None:
        train = [str(path) for path in self._product.train]
        try:
            found = side.ask("fit", recipe=recipe, form=form, train=train, groups=None, size=SIZE, bank=bank)
        except SideFailed as error:
            found = {"unknown": str(error)}
        if "unknown" in found:
            sys.stderr.write(f"{form} is left out: {found['unknown']}\n")
            return
        path = fresh(self._folder / form)
        side.ask("save", form=form, path=str(path))
        self._put(form, side, {"do": "load", "form": form, "path": str(path)}, found["bank"])

    def _theirs(self, model: str, bank: int) -> None:
        """The model in torch, and converted for each size of batch where its exporter can."""
        side, product = self._sides.theirs, self._product
        weights = self._sides.weights["lite" if model == "patchcore" else "dino"]
        train = [str(path) for path in product.train]
        named = {"model": model, "form": model, "size": SIZE, "weights": weights}
        side.ask("fit", train=train, bank=bank, patches=product.patches(model), picks="lazy", **named)
        path = self._folder / f"{model}.pt"
        side.ask("save", form=model, path=str(path))
        self._put(model, side, {"do": "load", "path": str(path), **named}, bank)
        for batch in BATCHES:
            folder = str(self._folder / f"{model}_{batch}")
            try:
                made = side.ask("export", form=model, folder=folder, size=SIZE, batch=batch)
            except SideFailed as error:
                sys.stderr.write(f"{model} is not converted for {batch}: {error}\n")
                continue
            for name, precision in (("openvino", None), ("openvino_f32", "f32")):
                form = f"{model}_{name}_{batch}"
                question = {"do": "open_openvino", "form": form, "path": made["path"], "precision": precision}
                side.ask(**question)
                self._put(form, side, question, bank)

    def _put(self, form: str, side: Side, load: dict[str, Any], bank: int) -> None:
        self.side_of[form], self.load_of[form], self.bank_of[form] = side, load, bank

    def latency(self) -> dict[str, Any]:
        """Every form in turns, in another order each round."""
        found: dict[str, Any] = {"size": SIZE, "rounds": ROUNDS, "banks": self.bank_of, "batches": {}}
        for batch, repeats in BATCHES.items():
            forms = [form for form in self.side_of if runs(form, batch)]
            rounds: dict[str, list[float]] = {form: [] for form in forms}
            for number in range(-1, ROUNDS):
                turn = number % len(forms)
                for form in forms[turn:] + forms[:turn]:
                    asked = {"form": form, "pixels": str(self._pixels), "batch": batch, "repeats": repeats}
                    milliseconds = median(self.side_of[form].ask("latency", **asked)["ms"])
                    # the first round warms up
                    if number >= 0:
                        rounds[form].append(milliseconds)
            plain = {form.removesuffix(f"_{batch}"): values for form, values in rounds.items()}
            found["batches"][str(batch)] = of_rounds(plain, PAIRS)
            sys.stderr.write(f"batch {batch}: {found['batches'][str(batch)]}\n")
        return found

    def memory(self) -> dict[str, Any]:
        """The most a process held that loads one form and scores with it, from its start."""
        found: dict[str, dict[str, Any]] = {}
        for form, side in self.side_of.items():

            def work(side: Side, form: str = form) -> dict[str, Any]:
                side.ask(**self.load_of[form])
                loaded = side.ask("peak", start=False)
                peaks = {"loaded_mib": loaded["rss_mib"], "loading_peak_mib": loaded["peak_mib"]}
                for batch in BATCHES:
                    if not runs(form, batch):
                        continue
                    side.ask("peak", start=True)
                    side.ask("latency", form=form, pixels=str(self._pixels), batch=batch, repeats=4)
                    peaks[f"batch_{batch}_peak_mib"] = side.ask("peak", start=False)["peak_mib"]
                return peaks

            # a converted model is two forms, one for each size of batch: they make one row
            plain = form.removesuffix("_1").removesuffix("_16")
            found[plain] = in_fresh_process(side, work) | found.get(plain, {})
        return found


PAIRS = tuple(
    (ours, theirs)
    for ours in ("lite_whole_grid", "lite")
    for theirs in ("patchcore", "patchcore_openvino", "patchcore_openvino_f32", "lite_before")
) + tuple(
    ("dinov2_s", theirs)
    for theirs in ("anomaly_dino", "anomaly_dino_openvino", "anomaly_dino_openvino_f32", "lite_before")
)


def runs(form: str, batch: int) -> bool:
    """Whether a form takes so many pictures: a converted one takes those it was made for."""
    return form.endswith(f"_{batch}") if "openvino" in form else True


def fresh(folder: Path) -> Path:
    """``folder`` as a place where nothing is yet."""
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
    return folder


def write_pixels(product: Product, path: Path) -> None:
    """Sixteen pictures of the product at the models' size, (16, S, S, 3) uint8."""
    from PIL import Image

    pictures = [
        np.asarray(Image.open(file).convert("RGB").resize((SIZE, SIZE), Image.Resampling.BICUBIC))
        for file in (product.test + product.train)[: max(BATCHES)]
    ]
    np.save(path, np.stack(pictures))
