"""The classifier's network: EfficientNet-Lite0 with a new head, its last blocks free to change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from anomalyos.core.settings import Settings
from anomalyos.features.backbones import load_strictly, rename_in_order
from anomalyos.features.weights import SOURCES, WeightsMissing, find_weights, read_state_dict

if TYPE_CHECKING:
    from torch import Tensor, nn

BACKBONE = "tf_efficientnet_lite0"
WEIGHTS = "efficientnet_lite0"
BLOCKS = 7
MOST_TUNED = 2
"""Last blocks that may be unfrozen."""
CAM_LAYER = "bn2"
"""The last feature maps, activated: what the head averages."""
MEAN = STD = (0.5, 0.5, 0.5)
"""What the embedded weights were trained with."""
BATCH = 16


def load_trunk(settings: Settings) -> nn.Module:
    """EfficientNet-Lite0 with the embedded ImageNet weights and no head, in eval mode.

    Raises:
        WeightsMissing: the weights are absent or damaged.
    """
    import timm

    source = SOURCES[WEIGHTS]
    path = find_weights(WEIGHTS, settings)
    if path is None:
        raise WeightsMissing(f"No weights for {WEIGHTS}.", "Run 'make install'.")
    trunk: nn.Module = timm.create_model(BACKBONE, num_classes=0)
    state = rename_in_order(read_state_dict(path, source.sha256), timm.create_model(BACKBONE))
    load_strictly(trunk, state, BACKBONE)
    return trunk.eval()


def with_head(trunk: nn.Module, classes: int) -> nn.Module:
    """``trunk`` itself with a linear head that returns logits (N, classes); the head starts at zero."""
    import torch

    trunk.reset_classifier(classes)  # type: ignore[operator]
    head = trunk.get_submodule("classifier")
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.zero_()
    return trunk.eval()


def tuned_part(network: nn.Module, blocks: int, dropout: float = 0.0) -> nn.Module:
    """What follows the frozen part: maps, or pooled features when ``blocks`` is 0, to logits.

    It shares its modules with ``network``: training it trains the network.
    """
    from torch import nn

    last = [nn.Dropout(dropout), network.get_submodule("classifier")]
    if blocks == 0:
        return nn.Sequential(*last)
    free = list(network.get_submodule("blocks").children())[BLOCKS - blocks :]
    closing = [network.get_submodule(name) for name in ("conv_head", "bn2", "global_pool")]
    return nn.Sequential(*free, *closing, *last)


def tuned_names(network: nn.Module, blocks: int) -> list[str]:
    """Names, in ``network.state_dict()``, of all that training with ``blocks`` can change."""
    starts = ["classifier."]
    if blocks:
        starts += [f"blocks.{number}." for number in range(BLOCKS - blocks, BLOCKS)] + ["conv_head.", "bn2."]
    return [name for name in network.state_dict() if name.startswith(tuple(starts))]


def frozen_outputs(trunk: nn.Module, batch: Tensor) -> list[Tensor]:
    """What each choice of tuned blocks starts from: ``[pooled, one block's input, two blocks' input]``.

    Args:
        batch: normalised images (N, 3, H, W).
    """
    found: list[Tensor] = []
    maps = trunk.get_submodule("bn1")(trunk.get_submodule("conv_stem")(batch))
    for number, block in enumerate(trunk.get_submodule("blocks").children()):
        if number >= BLOCKS - MOST_TUNED:
            found.append(maps)
        maps = block(maps)
    for name in ("conv_head", "bn2", "global_pool"):
        maps = trunk.get_submodule(name)(maps)
    return [maps, *reversed(found)]


def resized(rgb: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """``rgb`` (H, W, 3) resized with antialiasing to (size, size, 3)."""
    from PIL import Image

    if rgb.shape[:2] == (size, size):
        return rgb
    # a copy: PyTorch warns of arrays it must not write to
    return np.array(Image.fromarray(rgb).resize((size, size), Image.Resampling.BICUBIC))


def normalised(pictures: NDArray[np.uint8]) -> Tensor:
    """(N, H, W, 3) uint8 to (N, 3, H, W) float32 as the trunk expects it."""
    import torch

    batch = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float() / 255
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (MEAN, STD))
    return (batch - mean) / std
