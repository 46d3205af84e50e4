"""Our side of ``versus_anomalib`` (see :mod:`sides`): models by the library's public face."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anomalyos import PatchCore
from anomalyos.core.errors import NotFound
from anomalyos.core.runtime import Runtime
from anomalyos.features.recipes import Recipe, get_recipe
from tests.benchmarks.sides import forget_peak, memory, serve, timed

THREADS = 2

RECIPES: dict[str, Callable[[int], str | Recipe]] = {
    "lite": lambda size: get_recipe("lite", input_size=size),
    # all places of the grid count, as anomalib's do
    "lite_whole_grid": lambda size: get_recipe("lite", input_size=size, border=0),
    "dinov2_s": lambda size: get_recipe("dinov2_s", input_size=size),
    # chosen from the normal images alone; size is chosen, too
    "auto": lambda size: "auto",
}
"""Recipes that are compared, by name; one the library does not know yet is left out and said so."""

models: dict[str, PatchCore] = {}


def fit(
    recipe: str, form: str, train: Sequence[str], groups: Sequence[str] | None, size: int, bank: int | None
) -> dict[str, Any]:
    """Learn ``form`` from the pictures; seconds of each step, and memory.

    Args:
        bank: vectors to keep, None for what the recipe says.
    """
    try:
        chosen = RECIPES[recipe](size)
        if bank is not None and isinstance(chosen, Recipe):
            chosen = chosen.model_copy(update={"coreset_ratio": 1.0, "coreset_max": bank})
        steps = Steps()
        before = forget_peak()
        start = time.perf_counter()
        model = PatchCore.fit(
            list(train), groups=groups, recipe=chosen, threads=THREADS, device="cpu", progress=steps
        )
    except NotFound as error:
        return {"unknown": str(error)}
    whole = time.perf_counter() - start
    models[form] = model
    found, tuning = model.recipe, model._facts.get("tuning")
    return {
        "recipe": found.name,
        "recipe_sha256": found.digest(),
        "input_size": found.input_size,
        "reason": tuning["reason"] if tuning else None,
        "bank": model._model.bank.size,
        "steps_s": steps.seconds(start),
        "whole_s": round(whole, 2),
        "before_mib": before,
        "peak_mib": memory()["peak_mib"],
    }


class Steps:
    """When each step of a fit ended."""

    def __init__(self) -> None:
        self._ended: dict[str, float] = {}

    def __call__(self, step: str, done: int, total: int) -> None:
        self._ended.pop(step, None)
        self._ended[step] = time.perf_counter()

    def seconds(self, start: float) -> dict[str, float]:
        """Seconds of each step, which begins where the one before ended."""
        found = {}
        for step, end in self._ended.items():
            found[step], start = round(end - start, 2), end
        return found


def score(form: str, images: Sequence[str]) -> dict[str, Any]:
    """Image scores in the order of ``images``."""
    return {"scores": [models[form].inspect(path).score for path in images]}


def latency(form: str, pixels: str, batch: int, repeats: int) -> dict[str, Any]:
    """Milliseconds from pixels (a file with (N, S, S, 3) uint8) to scores and maps, for each repeat."""
    array, model = np.load(pixels)[:batch], models[form]
    return {"ms": timed(lambda: scores_and_maps(model, list(array)), repeats)}


def scores_and_maps(model: PatchCore, pictures: list[NDArray[np.uint8]]) -> list[tuple[float, Any]]:
    """What a batch of pictures gives, without verdicts and regions, which the other side has none of."""
    patches, _ = model._extractor.extract(pictures)
    # the library of before, which is measured too, scored one picture at a time
    many = getattr(model._model, "score_many", lambda each: [model._model.score(one) for one in each])
    return [(each.score, model._model.heat(each)) for each in many(patches)]


def save(form: str, path: str) -> dict[str, Any]:
    models[form].save(path)
    return {"mib": round(sum(file.stat().st_size for file in Path(path).iterdir()) / 2**20, 1)}


def load(form: str, path: str) -> dict[str, Any]:
    models[form] = PatchCore.load(path, threads=THREADS, device="cpu")
    return {}


def peak(start: bool) -> dict[str, Any]:
    """Begin to watch memory, or say what the most was."""
    return {"rss_mib": forget_peak()} if start else memory()


def encoders(folder: str) -> dict[str, Any]:
    """Write the weights our recipes use under timm's names, for the other side."""
    import timm
    from safetensors.torch import save_file

    from anomalyos.features.backbones import rename_in_order
    from anomalyos.features.weights import SOURCES, find_weights, read_state_dict

    def read(name: str) -> Any:
        path = find_weights(name, Runtime())
        assert path is not None
        return read_state_dict(path, SOURCES[name].sha256)

    lite = rename_in_order(read("efficientnet_lite0"), timm.create_model("tf_efficientnet_lite0"))
    found = {"lite": Path(folder) / "lite0.safetensors", "dino": Path(folder) / "dinov2_s.safetensors"}
    for path, state in ((found["lite"], lite), (found["dino"], read("dinov2_s"))):
        save_file({name: tensor.contiguous() for name, tensor in state.items()}, path)
    return {name: str(path) for name, path in found.items()}


if __name__ == "__main__":
    serve({each.__name__: each for each in (fit, score, latency, save, load, peak, encoders)})
