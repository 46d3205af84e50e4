"""PatchCore of one category: learned from normal patches, held against new ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from anomalyos.core.arrays import Float32Array
from anomalyos.core.progress import Progress
from anomalyos.features.recipes import Recipe
from anomalyos.features.reduction import Reduction, fit_reduction
from anomalyos.patchcore.calibration import Calibration, upper_threshold
from anomalyos.patchcore.coreset import coreset_size, greedy_coreset
from anomalyos.patchcore.memory_bank import MemoryBank
from anomalyos.patchcore.scoring import PatchScores, anomaly_map, score_patches

if TYPE_CHECKING:
    from torch import Tensor

BATCH = 8
"""Images that are embedded or scored together."""
SIDE_BY_SIDE = 2**29
"""Bytes of patches up to which folds are worked on side by side."""

Fold = NDArray[np.bool_]
R = TypeVar("R")


@dataclass(frozen=True)
class PatchCoreModel:
    """A recipe, the reduction fitted on the training patches, and their memory bank."""

    recipe: Recipe
    reduction: Reduction
    bank: MemoryBank

    @classmethod
    def fit(
        cls,
        patches: Tensor,
        recipe: Recipe,
        *,
        keep: NDArray[np.bool_] | None = None,
        progress: Progress | None = None,
    ) -> PatchCoreModel:
        """Learn from the patches (N, rows, cols, D) of normal images.

        Args:
            keep: (N,) which images to learn from, all by default. Image numbers in
                ``bank.origin`` count the kept images only.
            progress: called with (vectors picked, vectors in all).

        One working copy of the kept patches is made and nothing else of that size.
        """
        import torch

        _, rows, cols, dims = patches.shape
        selected = slice(None) if keep is None else torch.from_numpy(np.flatnonzero(keep))
        working = patches[selected].reshape(-1, dims)
        reduction = fit_reduction(working, recipe.reduced_dims, recipe.whitening)
        # indexing by a tensor has copied already; a slice is a view of the caller's patches
        shared = keep is None or reduction.basis is not None
        working = reduction.apply(working) if shared else working.sub_(reduction.mean.to(working.device))
        size = coreset_size(working.shape[0], recipe.coreset_ratio, recipe.coreset_max)
        chosen = greedy_coreset(working, size, progress=progress)
        return cls(recipe, reduction, MemoryBank.build(working, chosen, (rows, cols)))

    def score(self, patches: Tensor) -> PatchScores:
        """Score one image's raw patches (rows, cols, D)."""
        return self.score_many(patches[None])[0]

    def score_many(self, patches: Tensor) -> list[PatchScores]:
        """Score the raw patches (N, rows, cols, D) of N images."""
        recipe = self.recipe
        reduced = self.reduction.apply(patches)
        return score_patches(self.bank, reduced, recipe.reweight_neighbours, recipe.score_share)

    def heat(self, scores: PatchScores) -> Float32Array:
        """Anomaly map (input_size, input_size) float32 of scored patches."""
        recipe = self.recipe
        return anomaly_map(
            scores.distances, size=recipe.input_size, border=recipe.border, sigma=recipe.smoothing_sigma
        )


def cross_calibrate(
    patches: Tensor,
    groups: list[str],
    folds: list[NDArray[np.bool_]],
    recipe: Recipe,
    alpha: float,
    progress: Progress | None = None,
    *,
    counted: NDArray[np.bool_] | None = None,
) -> Calibration:
    """Scores of normal images against banks that never saw their group.

    Every image is scored once, by the bank learned from the other folds. Those banks know a little
    less than the final one, so the scores come out a little high and the promise errs on the side
    of fewer false alarms (cross-conformal prediction, Vovk 2015).

    Args:
        patches: (N, rows, cols, D) of all training images.
        groups: (N) part or lot of each image.
        folds: masks (N,) of the held-out images, group-disjoint, covering every image once.
        alpha: promised share of normal images flagged.
        progress: called with (images scored, images in all).
        counted: (N,) which images the threshold is learned on, all by default. The others are learned from
            only: the recipe was chosen on them.

    Raises:
        ValueError: when the folds do not cover every image exactly once, or cut through a group.
    """
    count = patches.shape[0]
    numbers = np.unique(groups, return_inverse=True)[1].astype(np.int64)
    check_folds(folds, numbers, count)
    scores = np.empty(count, dtype=np.float64)
    peaks = np.empty(count, dtype=np.float64)
    medians = np.empty(count, dtype=np.float64)
    done = 0
    for found in each_fold(partial(score_fold, patches, recipe), folds, patches):
        for i, score, peak, median in found:
            scores[i], peaks[i], medians[i] = score, peak, median
        done += len(found)
        if progress is not None:
            progress(done, count)
    own = slice(None) if counted is None else counted
    scores, peaks, medians, numbers = scores[own], peaks[own], medians[own], numbers[own]
    smallest = 1.0 / (len(np.unique(numbers)) + 1)
    return Calibration(
        scores=scores,
        groups=numbers,
        alpha=alpha,
        map_threshold=upper_threshold(peaks, numbers, max(alpha, smallest)),
        map_median=float(np.median(medians)),
    )


def score_fold(
    patches: Tensor, recipe: Recipe, held_out: NDArray[np.bool_]
) -> list[tuple[int, float, float, float]]:
    """Number, score, and map's maximum and median of each held-out image, by a bank of the others."""
    model = PatchCoreModel.fit(patches, recipe, keep=~held_out)
    found = []
    for part in batches(np.flatnonzero(held_out)):
        for i, result in zip(part, model.score_many(patches[part]), strict=True):
            heat = model.heat(result)
            found.append((int(i), result.score, float(heat.max()), float(np.median(heat))))
    return found


def each_fold(work: Callable[[Fold], R], folds: Sequence[Fold], patches: Tensor) -> Iterator[R]:
    """What ``work`` makes of each fold, as they are finished.

    On a CPU and while the patches are few, folds are worked on side by side with one thread each: picking a
    coreset is a chain of small steps, in which threads mostly wait for each other. Every fold holds a copy of
    most of the patches, so large sets are worked on one fold after the other.
    """
    import torch

    threads = torch.get_num_threads()
    few = patches.numel() * patches.element_size() <= SIDE_BY_SIDE
    if threads == 1 or not few or patches.device.type != "cpu":
        yield from map(work, folds)
        return
    pool = ThreadPoolExecutor(min(threads, len(folds)), initializer=partial(torch.set_num_threads, 1))
    try:
        for future in as_completed([pool.submit(work, fold) for fold in folds]):
            yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)
        # a thread that begins later would take the workers' number for everybody's
        torch.set_num_threads(threads)


def batches(numbers: NDArray[np.int64], size: int = BATCH) -> Iterator[NDArray[np.int64]]:
    """``numbers`` (N,) in parts of at most ``size``."""
    return (numbers[start : start + size] for start in range(0, len(numbers), size))


def check_folds(folds: list[NDArray[np.bool_]], groups: NDArray[np.int64], count: int) -> None:
    """Refuse folds that leave an image out, hold one twice, or split a group."""
    if len(folds) < 2 or not (np.sum(folds, axis=0) == 1).all() or any(len(fold) != count for fold in folds):
        raise ValueError("folds must cover every image exactly once, in at least two parts")
    sides = [set(groups[fold]) for fold in folds]
    if sum(len(side) for side in sides) != len(set().union(*sides)):
        raise ValueError("a group lies on both sides of a fold")
