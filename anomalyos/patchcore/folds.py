"""Folds: which normal images are held out together, so that none is scored by a bank that saw its part."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FOLDS_FEW, FOLDS_MANY = 10, 5
"""Parts the training images are held out in: ten while they are few and each one is missed."""
MANY_IMAGES = 200
SEED = 0


def hold_out(groups: Sequence[str]) -> list[NDArray[np.bool_]]:
    """Masks (N,) of the images that are held out together: group-disjoint, covering every image once.

    Args:
        groups: (N) part or lot of each image, of at least two different ones.
    """
    folds = FOLDS_MANY if len(groups) > MANY_IMAGES else FOLDS_FEW
    numbers = np.array(fold_numbers(groups, min(folds, len(set(groups))), SEED))
    return [numbers == fold for fold in range(int(numbers.max()) + 1)]


def fold_numbers(groups: Sequence[str], folds: int, seed: int) -> list[int]:
    """The fold of each image, 0 to ``folds`` - 1, of about equal sizes and none without a group.

    The largest groups are placed first, each into the fold with the fewest images so far. The same groups
    and seed always give the same folds, whatever the order of the images.
    """
    sizes = Counter(groups)
    counts = [0] * folds
    fold_of: dict[str, int] = {}
    for group in sorted(sizes, key=lambda group: (-sizes[group], rank(group, seed))):
        fold = counts.index(min(counts))
        fold_of[group] = fold
        counts[fold] += sizes[group]
    return [fold_of[group] for group in groups]


def rank(group: str, seed: int) -> bytes:
    """Pseudo-random order of groups that does not depend on which other groups there are."""
    return hashlib.sha256(f"{seed}\0{group}".encode()).digest()
