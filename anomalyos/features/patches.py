"""Patch features: multi-layer, neighbourhood-aware, one vector for each place (paper, section 3.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from anomalyos.core.runtime import RuntimeSettings
from anomalyos.features.backbones import load_backbone, pick_device
from anomalyos.features.recipes import Recipe

if TYPE_CHECKING:
    from torch import Tensor


class PatchExtractor:
    """Turns RGB images into a grid of patch vectors with one recipe's backbone."""

    def __init__(self, recipe: Recipe, settings: RuntimeSettings) -> None:
        import torch

        self.recipe = recipe
        self.device = pick_device(settings)
        model = load_backbone(recipe, settings)
        self.model = model.to(self.device).to(memory_format=torch.channels_last)
        self.mean = torch.tensor(recipe.mean, device=self.device).view(1, 3, 1, 1)
        self.std = torch.tensor(recipe.std, device=self.device).view(1, 3, 1, 1)

    def prepare(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """``rgb`` (H, W, 3) resized with antialiasing to (input_size, input_size, 3)."""
        from PIL import Image

        size = self.recipe.input_size
        if rgb.shape[:2] == (size, size):
            return rgb
        return np.asarray(Image.fromarray(rgb).resize((size, size), Image.Resampling.BICUBIC))

    def extract(self, images: list[NDArray[np.uint8]]) -> tuple[Tensor, Tensor]:
        """Features of a batch of images of any size.

        Returns:
            patches: (N, rows, cols, D) float32, on ``device``
            whole: (N, C) float32, unit length: the deepest layer averaged, for routing
        """
        import torch
        import torch.nn.functional as F  # noqa: N812

        array = np.stack([self.prepare(image) for image in images])
        with torch.inference_mode():
            batch = torch.from_numpy(array).to(self.device).permute(0, 3, 1, 2)
            batch = (batch.float() / 255 - self.mean) / self.std
            maps = self.model(batch.contiguous(memory_format=torch.channels_last))
            whole = F.normalize(torch.cat([level.mean(dim=(2, 3)) for level in maps], dim=1), dim=1)
            return assemble_patches(maps, self.recipe.neighbourhood, self.recipe.border), whole


def assemble_patches(maps: list[Tensor], neighbourhood: int, border: int) -> Tensor:
    """Average each level over its p x p neighbourhood, bring all to the finest grid, concatenate.

    Args:
        maps: levels (N, C_i, H_i, W_i), finest first.
        neighbourhood: odd window side p (Eq. 2 with the adaptive mean as f_agg).
        border: rings cut off the finest grid afterwards.

    Returns:
        (N, H_0 - 2 border, W_0 - 2 border, sum C_i) float32.
    """
    import torch
    import torch.nn.functional as F  # noqa: N812

    rows, cols = maps[0].shape[2:]
    levels = []
    for level in maps:
        if neighbourhood > 1:
            # the mean over what exists: padding zeros would pull border patches towards the origin
            level = F.avg_pool2d(level, neighbourhood, 1, neighbourhood // 2, count_include_pad=False)
        if level.shape[2:] != (rows, cols):
            level = F.interpolate(level, size=(rows, cols), mode="bilinear", align_corners=False)
        levels.append(level)
    stacked = torch.cat(levels, dim=1).permute(0, 2, 3, 1)
    if border:
        stacked = stacked[:, border:-border, border:-border]
    return stacked.contiguous()
