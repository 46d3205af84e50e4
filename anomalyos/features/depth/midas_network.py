"""The layers of MiDaS v2.1 small. Attribute names follow the released state dict, letter by letter."""

from __future__ import annotations

from typing import Any

import timm
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

ENCODER = "tf_efficientnet_lite3"
ENCODER_WIDTHS = (32, 48, 136, 384)
"""Channels at strides 4, 8, 16 and 32."""
WIDTHS = (64, 128, 256, 512)
"""Channels the decoder works with at the same strides."""


def build_encoder() -> nn.Module:
    """Four stages, each taking the one before: ``layer1`` to ``layer4``."""
    network: Any = timm.create_model(ENCODER)
    stages = nn.Module()
    # the activation that timm keeps inside its batch norm stood on its own when the weights were made
    stages.layer1 = nn.Sequential(network.conv_stem, network.bn1, nn.Identity(), *network.blocks[:2])
    stages.layer2 = nn.Sequential(*network.blocks[2:3])
    stages.layer3 = nn.Sequential(*network.blocks[3:5])
    stages.layer4 = nn.Sequential(*network.blocks[5:])
    return stages


class ResidualUnit(nn.Module):
    """x + conv(relu(conv(relu(x))))"""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv1(F.relu(x))
        y = self.conv2(F.relu(y))
        return y + x


class Fusion(nn.Module):
    """Adds the encoder's view to the coarser result, refines it and doubles its resolution."""

    def __init__(self, width: int, width_out: int) -> None:
        super().__init__()
        self.out_conv = nn.Conv2d(width, width_out, 1)
        self.resConfUnit1 = ResidualUnit(width)
        self.resConfUnit2 = ResidualUnit(width)

    def forward(self, coarse: Tensor, lateral: Tensor | None = None) -> Tensor:
        fused = coarse if lateral is None else coarse + self.resConfUnit1(lateral)
        fused = self.resConfUnit2(fused)
        fused = F.interpolate(fused, scale_factor=2, mode="bilinear", align_corners=True)
        result: Tensor = self.out_conv(fused)
        return result


class Upsample(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


class MidasNetwork(nn.Module):
    """(N, 3, h, w) normalised, h and w multiples of 32 -> nearness (N, 1, h, w), never negative."""

    def __init__(self) -> None:
        super().__init__()
        self.pretrained = build_encoder()
        self.scratch = nn.Module()
        for level, (given, width) in enumerate(zip(ENCODER_WIDTHS, WIDTHS, strict=True), start=1):
            self.scratch.add_module(f"layer{level}_rn", nn.Conv2d(given, width, 3, padding=1, bias=False))
            narrower = WIDTHS[max(level - 2, 0)]
            self.scratch.add_module(f"refinenet{level}", Fusion(width, narrower))
        first = WIDTHS[0]
        self.scratch.output_conv = nn.Sequential(
            nn.Conv2d(first, first // 2, 3, padding=1),
            Upsample(),
            nn.Conv2d(first // 2, 32, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, 1, 1),
            nn.ReLU(),
        )

    def forward(self, x: Tensor) -> Tensor:
        laterals = []
        for level in range(1, 5):
            x = getattr(self.pretrained, f"layer{level}")(x)
            laterals.append(getattr(self.scratch, f"layer{level}_rn")(x))
        path: Tensor = self.scratch.get_submodule("refinenet4")(laterals[3])
        for level in (3, 2, 1):
            path = self.scratch.get_submodule(f"refinenet{level}")(path, laterals[level - 1])
        nearness: Tensor = self.scratch.get_submodule("output_conv")(path)
        return nearness
