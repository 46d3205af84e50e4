"""From pictures of normal parts to their features: what every model is learned from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from anomalyos.core.arrays import Float32Array
from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.memory import available_memory
from anomalyos.core.progress import Progress
from anomalyos.core.runtime import RuntimeSettings
from anomalyos.features.patches import PatchExtractor
from anomalyos.features.recipes import Recipe, get_recipe
from anomalyos.patchcore.model import BATCH
from anomalyos.patchcore.router import ROUTER_RECIPE

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Rgb = NDArray[np.uint8]

FEWEST_IMAGES = 5
COPIES = 2.5
"""Times the patches are in memory at the peak: all of them, those of all folds but one, and what is computed
from these in blocks."""


@dataclass(frozen=True)
class NormalFeatures:
    """What a recipe sees in normal images."""

    patches: Tensor
    """(N, rows, cols, D) float32"""
    embeddings: Float32Array
    """(N, C), unit length, under the router's recipe"""


def extract_normals(
    pictures: Iterable[Rgb],
    most: int,
    extractor: PatchExtractor,
    settings: RuntimeSettings,
    *,
    name: str,
    progress: Progress | None = None,
) -> NormalFeatures:
    """Features of RGB pictures (H, W, 3), which may differ in size and are taken a few at a time.

    Args:
        most: how many pictures there are at most; room for so many is made at once.
        name: what the error calls them.

    Raises:
        AnomalyOSError: when they are fewer than ``FEWEST_IMAGES``, or their patches do not fit into memory.
    """
    import torch

    router_recipe = get_recipe(ROUTER_RECIPE)
    same = router_recipe.feature_key() == extractor.recipe.feature_key()
    router = extractor if same else PatchExtractor(router_recipe, settings)
    patches: Tensor | None = None
    embeddings: list[Float32Array] = []
    done = 0
    for batch in ahead(pictures):
        features, whole = extractor.extract(batch)
        if patches is None:
            refuse_what_does_not_fit(features[0].numel(), most, extractor.recipe, features.device)
            patches = torch.empty((most, *features.shape[1:]), device=features.device)
        patches[done : done + len(batch)] = features
        embeddings.append((whole if same else router.extract(batch)[1]).cpu().numpy())
        done += len(batch)
        if progress is not None:
            progress(done, most)
    if patches is None or done < FEWEST_IMAGES:
        raise AnomalyOSError(
            f"{name} has {done} readable normal images.",
            f"At least {FEWEST_IMAGES} are needed to learn what normal looks like; 50 or more are better.",
        )
    return NormalFeatures(patches[:done], np.concatenate(embeddings))


def refuse_what_does_not_fit(values: int, images: int, recipe: Recipe, device: torch.device) -> None:
    """Stop before the work begins when the patches of ``images`` images cannot be held.

    Args:
        values: float32 values of one image's patches.

    Raises:
        AnomalyOSError: with what is needed, what there is, and how many images would do.
    """
    if device.type != "cpu" or (free := available_memory()) is None:
        return
    each = 4 * values * COPIES
    if each * images > free:
        raise AnomalyOSError(
            f"Learning from {images:,} images at {recipe.input_size} pixels a side needs about "
            f"{each * images / 2**30:.1f} GiB of memory, and {free / 2**30:.1f} GiB are free.",
            f"About {int(free / each):,} images fit. Learn from fewer, or set a smaller input_size.",
        )


def ahead(pictures: Iterable[Rgb], size: int = BATCH) -> Iterator[list[Rgb]]:
    """``pictures`` in lists of at most ``size``, the next of which is read while one is worked on.

    They are read on another thread, one after the other and in their order; two lists are in memory at most.
    """
    source = iter(pictures)

    def read() -> list[Rgb]:
        return list(islice(source, size))

    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(read)
        while batch := coming.result():
            coming = reader.submit(read)
            yield batch
