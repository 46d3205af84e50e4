"""What turns pixels into patch features, as networks. Imports torch: import this module inside functions."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from anomalyos.features.recipes import Recipe


class TokenBackbone(nn.Module):
    """A transformer whose blocks come out as maps, each through a module of its own that can be hooked."""

    def __init__(self, blocks: nn.Module, count: int) -> None:
        """``blocks`` gives ``count`` maps (N, C, H, W)."""
        super().__init__()
        self.blocks = blocks
        self.levels = nn.ModuleList(nn.Identity() for _ in range(count))

    def forward(self, batch: Tensor) -> list[Tensor]:
        return [level(found) for level, found in zip(self.levels, self.blocks(batch), strict=True)]


class PatchNetwork(nn.Module):
    """Pixels in, patches and the whole image's embedding out: one graph for every runtime."""

    mean: Tensor
    std: Tensor

    def __init__(self, recipe: Recipe, backbone: nn.Module) -> None:
        super().__init__()
        self.recipe = recipe
        self.backbone = backbone
        self.register_buffer("mean", torch.tensor(recipe.mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(recipe.std).view(1, 3, 1, 1))

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """(N, S, S, 3) uint8 -> (N, rows, cols, D) and (N, C) float32."""
        maps = self.backbone(self.normalised(pixels))
        whole = F.normalize(torch.cat([level.mean(dim=(2, 3)) for level in maps], dim=1), dim=1)
        return patches_of(maps, self.recipe), whole

    def normalised(self, pixels: Tensor) -> Tensor:
        """(N, S, S, 3) uint8 -> (N, 3, S, S) float32 as the backbone takes it."""
        batch = (pixels.permute(0, 3, 1, 2).float() / 255 - self.mean) / self.std
        return batch.contiguous(memory_format=torch.channels_last)


def patches_of(maps: list[Tensor], recipe: Recipe) -> Tensor:
    """Levels (N, C_i, H_i, W_i), finest first, as the recipe's patches (N, rows, cols, sum C_i)."""
    if recipe.unit_levels:
        maps = [F.normalize(level, dim=1) for level in maps]
    patches = assemble_patches(maps, recipe.neighbourhood, recipe.border, zero_padded=recipe.zero_padded)
    return patches - patches.mean(dim=(1, 2), keepdim=True) if recipe.centred else patches


def assemble_patches(
    maps: list[Tensor], neighbourhood: int, border: int, *, zero_padded: bool = False
) -> Tensor:
    """Average each level over its p x p neighbourhood, bring all to the finest grid, concatenate.

    Args:
        maps: levels (N, C_i, H_i, W_i), finest first.
        neighbourhood: odd window side p (Eq. 2 with the adaptive mean as f_agg).
        border: rings cut off the finest grid afterwards.
        zero_padded: whether windows count zeros beyond the edge; otherwise the mean is over what exists.

    Returns:
        (N, H_0 - 2 border, W_0 - 2 border, sum C_i) float32.
    """
    rows, cols = maps[0].shape[2:]
    levels = []
    for level in maps:
        if neighbourhood > 1:
            level = F.avg_pool2d(level, neighbourhood, 1, neighbourhood // 2, count_include_pad=zero_padded)
        if level.shape[2:] != (rows, cols):
            level = F.interpolate(level, size=(rows, cols), mode="bilinear", align_corners=False)
        levels.append(level)
    stacked = torch.cat(levels, dim=1).permute(0, 2, 3, 1)
    if border:
        stacked = stacked[:, border:-border, border:-border]
    return stacked.contiguous()
