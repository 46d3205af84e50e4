"""Greedy k-center coreset (paper, Algorithm 1), picked lazily in batches."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

POOL = 2048
"""Farthest points kept at hand; larger pools cost more a pick and refresh the rest less often."""
ROWS = 65_536
"""Rows of the feature matrix worked through at once: bounds the scratch memory."""
LEAST_ROWS = 1024
"""The same, at least, however many centres there are."""
PRODUCTS = 8_388_608
"""Row-centre products held at once: 32 MiB."""
PROJECT_ABOVE = 256
"""Wider features are projected at random for the selection only (paper, after Eq. 5)."""
PROJECT_TO = 128


def greedy_coreset(
    features: Tensor,
    count: int,
    *,
    start: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Tensor:
    """Indices of ``count`` rows that cover all rows with the least largest gap, greedily.

    Each pick is the row farthest from those picked so far, as in the naive loop, but only a pool of
    the farthest rows is updated after a pick. Distances to the centres only ever shrink, so while
    the best of the pool is farther away than everything outside was at the last refresh, it is the
    farthest of all, and the picks are the same as the naive loop's.

    Args:
        features: (N, D) float32.
        count: rows to pick, clipped to N.
        start: index of the first centre.
        progress: called with (picked, count) after each refresh.

    Returns:
        (count,) int64 on CPU, in the order picked.

    Raises:
        ValueError: for no rows, a count below 1 or a start outside the rows.
    """
    import torch

    total = features.shape[0]
    if features.ndim != 2 or total == 0:
        raise ValueError(f"features must be (N, D) with N > 0, got {tuple(features.shape)}")
    if count < 1 or not 0 <= start < total:
        raise ValueError(f"cannot pick {count} rows starting at row {start} of {total}")
    count = min(count, total)
    features = project(features) if features.shape[1] > PROJECT_ABOVE else features
    norms = squared_norms(features)
    gaps = torch.full((total,), math.inf, device=features.device)
    picked = [start]
    fresh = 0
    with torch.inference_mode():
        while len(picked) < count:
            lower_gaps(gaps, features, norms, picked[fresh:])
            fresh = len(picked)
            pick_from_pool(gaps, features, norms, picked, count)
            if progress is not None:
                progress(len(picked), count)
    return torch.tensor(picked, dtype=torch.int64)


def squared_norms(features: Tensor) -> Tensor:
    """(N,) squared length of each row, without a second matrix of the size of ``features``."""
    import torch

    return torch.cat([rows.square().sum(dim=1) for rows in torch.split(features, ROWS)])


def pick_from_pool(gaps: Tensor, features: Tensor, norms: Tensor, picked: list[int], count: int) -> None:
    """Append to ``picked`` as long as the pool's best provably is the farthest row of all."""
    import torch

    size = min(POOL, gaps.shape[0])
    # one more than the pool: the best of those left outside
    values, indices = torch.topk(gaps, min(size + 1, gaps.shape[0]))
    outside = float(values[size]) if values.shape[0] > size else -math.inf
    members, pool_gaps = indices[:size], values[:size].clone()
    pool, pool_norms = features[members], norms[members]
    first = True
    while len(picked) < count:
        best = int(pool_gaps.argmax())
        if not first and float(pool_gaps[best]) <= outside:
            return
        first = False
        picked.append(int(members[best]))
        distances = pool_norms + pool_norms[best] - 2 * (pool @ pool[best])
        torch.minimum(pool_gaps, distances.clamp_(min=0), out=pool_gaps)
        # a picked row never comes again, even among exact copies of itself
        pool_gaps[best] = -1.0


def lower_gaps(gaps: Tensor, features: Tensor, norms: Tensor, centres: list[int]) -> None:
    """Set ``gaps`` (N,) to the squared distance to the nearest centre, counting ``centres`` (indices)."""
    import torch

    index = torch.tensor(centres, device=features.device)
    vectors, vector_norms = features[index], norms[index]
    step = max(LEAST_ROWS, min(ROWS, PRODUCTS // len(centres)))
    for begin in range(0, gaps.shape[0], step):
        rows = slice(begin, begin + step)
        products = torch.addmm(vector_norms, features[rows], vectors.T, alpha=-2)
        nearest = products.amin(dim=1).add_(norms[rows]).clamp_(min=0)
        gaps[rows] = torch.minimum(gaps[rows], nearest)
    gaps[index] = -1.0


def project(features: Tensor, dims: int = PROJECT_TO, seed: int = 0) -> Tensor:
    """Johnson-Lindenstrauss projection (N, D) -> (N, dims), Gaussian, seeded."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    matrix = torch.randn(features.shape[1], dims, generator=generator) / math.sqrt(dims)
    return features @ matrix.to(features.device)


def coreset_size(total: int, ratio: float, most: int) -> int:
    """Rows to keep of ``total``: the ratio, at most ``most``, at least one."""
    return max(1, min(most, round(total * ratio)))
