"""The anomaly score as a differentiable network. Imports torch: import this module inside functions."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from anomalyos.features.networks import patches_of
from anomalyos.features.patches import PatchExtractor
from anomalyos.features.recipes import Recipe
from anomalyos.patchcore.model import PatchCoreModel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class DistanceModel(nn.Module):
    """Backbone, patches, reduction, and squared distances to memory vectors c* that stay fixed.

    Which memory vector is nearest is a choice, not a function with a gradient: it is made once, for the
    image to be explained, and held. With it held, the output equals the squared distances that
    :meth:`PatchCoreModel.score` finds for that image.
    """

    stars: Tensor
    mean: Tensor
    basis: Tensor | None

    def __init__(self, backbone: nn.Module, model: PatchCoreModel, stars: Tensor) -> None:
        """``stars`` (rows, cols, d): the nearest memory vector of each patch."""
        super().__init__()
        self.backbone = backbone
        self.recipe: Recipe = model.recipe
        self.squares = nn.Identity()
        """Passes on (p - c*)^2, (1, d, rows + 2 border, cols + 2 border): where Grad-CAM++ looks."""
        self.register_buffer("stars", stars)
        # clones: what came out of inference mode cannot take part in a backward pass
        self.register_buffer("mean", model.reduction.mean.to(stars.device).clone())
        basis = model.reduction.basis
        self.register_buffer("basis", None if basis is None else basis.to(stars.device).clone())

    def forward(self, batch: Tensor) -> Tensor:
        """(1, 3, S, S) normalised pixels -> (1, rows, cols) squared distances."""
        border = self.recipe.border
        patches = patches_of(self.backbone(batch), self.recipe) - self.mean
        if self.basis is not None:
            patches = patches @ self.basis
        squares = (patches - self.stars).square().permute(0, 3, 1, 2)
        if border:
            # laid back where the patches were, as the anomaly map does it; the rings get no gradient
            squares = F.pad(squares, (border,) * 4, mode="replicate")
        squares = self.squares(squares)
        if border:
            squares = squares[..., border:-border, border:-border]
        summed: Tensor = squares.sum(dim=1)
        return summed


def distance_model(
    rgb: NDArray[np.uint8], model: PatchCoreModel, extractor: PatchExtractor
) -> tuple[DistanceModel, Tensor]:
    """The distance model of one image (H, W, 3), and the image as its input.

    The backbone is a copy that shares the extractor's weights: hooks set on it are seen by nobody else.
    The input requires a gradient, so the frozen parameters need not.
    """
    patches, _ = extractor.extract([rgb])
    nearest = model.score(patches[0]).nearest
    stars = torch.from_numpy(model.bank.vectors[nearest]).to(extractor.device)
    original = extractor.network.backbone
    shared = {id(tensor): tensor for tensor in (*original.parameters(), *original.buffers())}
    backbone = copy.deepcopy(original, shared)
    network = DistanceModel(backbone, model, stars).eval()
    return network, to_batch(rgb, extractor)


def to_batch(rgb: NDArray[np.uint8], extractor: PatchExtractor) -> Tensor:
    """(H, W, 3) uint8 -> (1, 3, S, S) float32 as the backbone takes it, requiring a gradient."""
    pixels = torch.from_numpy(extractor.prepare(rgb).copy()).to(extractor.device)
    return extractor.network.normalised(pixels[None]).requires_grad_(True)
