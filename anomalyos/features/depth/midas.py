"""MiDaS-small: relative depth from one photograph, its decoder written out on timm's encoder.

Ranftl et al., "Towards robust monocular depth estimation", TPAMI 2022; the layout of layers and the
names of their parameters are those of the released v2.1 small weights, so that these load strictly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from anomalyos.core.arrays import Float32Array
from anomalyos.core.runtime import RuntimeSettings
from anomalyos.features.backbones import pick_device
from anomalyos.features.recipes import IMAGENET_MEAN, IMAGENET_STD
from anomalyos.features.weights import WeightsMissing, find_weights, read_state_dict

if TYPE_CHECKING:
    from torch import Tensor, nn

METHOD = "midas_small"
SIDE = 256
"""Pixels of the longer side that the network sees, rounded to whole cells of its coarsest grid."""
CELL = 32
RELEASE = "https://github.com/isl-org/MiDaS/releases/download/v2_1/midas_v21_small_256.pt"


class MidasSmall:
    """Nearness from the released network. Safe to share between threads.

    Raises:
        WeightsMissing: without weights, or with weights of another network.
    """

    method = METHOD

    def __init__(self, settings: RuntimeSettings) -> None:
        self.device = pick_device(settings)
        network = build_network()
        load_exactly(network, released_weights(settings))
        self.network = network.eval().to(self.device)

    def __call__(self, rgb: NDArray[np.uint8]) -> Float32Array:
        """Nearness (H, W) float32 of ``rgb`` (H, W, 3)."""
        import torch
        import torch.nn.functional as F  # noqa: N812

        with torch.inference_mode():
            nearness = self.network(prepare(rgb).to(self.device))
            whole = F.interpolate(nearness, size=rgb.shape[:2], mode="bicubic", align_corners=False)
        return np.asarray(whole[0, 0].cpu().numpy(), dtype=np.float32)


def prepare(rgb: NDArray[np.uint8]) -> Tensor:
    """(1, 3, h, w) float32, the longer side near 256 pixels and both whole cells of 32."""
    import torch
    from PIL import Image

    height, width = rgb.shape[:2]
    scale = SIDE / max(height, width)
    size = [max(CELL, round(side * scale / CELL) * CELL) for side in (width, height)]
    resized = np.asarray(Image.fromarray(rgb).resize((size[0], size[1]), Image.Resampling.BICUBIC))
    scaled = (resized / 255 - np.array(IMAGENET_MEAN)) / np.array(IMAGENET_STD)
    return torch.from_numpy(np.ascontiguousarray(scaled.transpose(2, 0, 1), np.float32))[None]


def released_weights(settings: RuntimeSettings) -> dict[str, Tensor]:
    """The official state dict, from ``weights_dir`` or, when a hub is allowed, from the release page.

    Raises:
        WeightsMissing: when there is none.
    """
    path = find_weights(METHOD, settings)
    if path is not None:
        state = read_state_dict(path)
    else:
        import torch

        try:
            state = torch.hub.load_state_dict_from_url(RELEASE, map_location="cpu", weights_only=True)
        except OSError as error:
            raise WeightsMissing(
                f"The MiDaS-small weights could not be fetched: {error}",
                f"Download {RELEASE} and put it into ANOMALYOS_WEIGHTS_DIR as {METHOD}.pt.",
            ) from error
    return state


def load_exactly(network: nn.Module, state: dict[str, Tensor]) -> None:
    """Every tensor of the one has its place in the other.

    Raises:
        WeightsMissing: naming what does not fit.
    """
    try:
        network.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise WeightsMissing(
            f"These are not the weights of MiDaS v2.1 small: {str(error)[:300]}",
            f"The right file is {RELEASE}.",
        ) from error


def build_network() -> nn.Module:
    """The network with random weights, for images (N, 3, h, w), giving nearness (N, 1, h, w) >= 0."""
    from anomalyos.features.depth.midas_network import MidasNetwork

    return MidasNetwork()
