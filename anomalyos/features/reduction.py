"""Linear reduction of patch features: principal components, optionally part-whitened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

FIT_ROWS = 100_000
"""Rows the covariance is estimated from; more change the components by less than the noise."""


@dataclass(frozen=True)
class Reduction:
    """``x -> (x - mean) @ basis``; without a basis only the mean is taken off.

    Centring changes no distance, and keeps the squared norms small, so that distances expanded
    into norms and products lose fewer digits.
    """

    mean: Tensor
    """(D,) float32"""
    basis: Tensor | None = None
    """(D, d) float32"""

    def apply(self, patches: Tensor) -> Tensor:
        """(..., D) -> (..., d) float32."""
        centred = patches - self.mean.to(patches.device)
        return centred if self.basis is None else centred @ self.basis.to(patches.device)

    def tensors(self) -> dict[str, Tensor]:
        """What a bundle stores."""
        stored = {"mean": self.mean.contiguous()}
        if self.basis is not None:
            stored["basis"] = self.basis.contiguous()
        return stored


def fit_reduction(patches: Tensor, dims: int | None, whitening: float) -> Reduction:
    """Mean of ``patches`` (N, D) and, with ``dims``, their leading principal components.

    Component i is scaled by eigenvalue_i ** -whitening.

    Raises:
        ValueError: when ``dims`` is larger than D.
    """
    import torch

    mean = patches.mean(dim=0)
    if dims is None:
        return Reduction(mean)
    if dims > patches.shape[1]:
        raise ValueError(f"cannot keep {dims} components of {patches.shape[1]} features")
    step = -(-patches.shape[0] // FIT_ROWS)
    centred = (patches[::step] - mean).double()
    values, vectors = torch.linalg.eigh(centred.T @ centred / centred.shape[0])
    leading = vectors.flip(1)[:, :dims]
    # a fixed sign makes the bundle's bytes independent of the solver's mood
    signs = leading.gather(0, leading.abs().argmax(dim=0, keepdim=True)).sign()
    scale = values.flip(0)[:dims].clamp(min=1e-12) ** -whitening
    return Reduction(mean, (leading * signs * scale).float())
