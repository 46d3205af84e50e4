"""A challenger that was damaged on purpose: its memory bank is noise far from anything normal."""

from __future__ import annotations

from typing import Any


def install() -> None:
    import torch

    from anomalyos.patchcore.model import PatchCoreModel

    fit = PatchCoreModel.fit

    def fit_noise(patches: Any, *arguments: Any, **options: Any) -> PatchCoreModel:
        noise = torch.randn(patches.shape, generator=torch.Generator().manual_seed(1))
        return fit(patches + 50 * patches.std() * noise.to(patches.device), *arguments, **options)

    setattr(PatchCoreModel, "fit", staticmethod(fit_noise))  # noqa: B010  (mypy knows no other way)
