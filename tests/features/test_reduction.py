"""Reduction: distances kept, components as a textbook gives them."""

from __future__ import annotations

import pytest
import torch

from anomalyos.features.reduction import fit_reduction


def sample(seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(4000, 6, generator=generator) @ torch.diag(torch.tensor([9.0, 4, 2, 1, 0.3, 0.1])) + 7


def test_without_components_distances_stay() -> None:
    patches = sample()
    reduced = fit_reduction(patches, None, 0.0).apply(patches)
    after, before = reduced[:50].double(), patches[:50].double()
    assert torch.allclose(torch.cdist(after, after), torch.cdist(before, before), atol=1e-3)
    assert reduced.mean(dim=0).abs().max() < 1e-3


@pytest.mark.parametrize("whitening", [0.0, 0.25, 0.5])
def test_spread_of_the_components_is_eigenvalue_to_the_half_minus_whitening(whitening: float) -> None:
    patches = sample()
    reduced = fit_reduction(patches, 3, whitening).apply(patches)
    eigenvalues = torch.linalg.eigvalsh(torch.cov(patches.T)).flip(0)[:3]
    assert torch.allclose(reduced.std(dim=0), eigenvalues ** (0.5 - whitening), rtol=0.01)
    correlation = torch.corrcoef(reduced.T) - torch.eye(3)
    assert correlation.abs().max() < 0.01


def test_fitting_twice_gives_the_same_basis() -> None:
    first, second = fit_reduction(sample(), 4, 0.25), fit_reduction(sample(), 4, 0.25)
    assert first.basis is not None
    assert second.basis is not None
    assert torch.equal(first.basis, second.basis)


def test_more_components_than_features_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot keep 7"):
        fit_reduction(sample(), 7, 0.0)
