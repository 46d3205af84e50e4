"""Pictures as pooled EfficientNet-Lite features: needs nothing but the weights of the default recipe."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from anomalyos.core.arrays import Float32Array
from anomalyos.core.runtime import RuntimeSettings
from anomalyos.features.backbones import load_backbone, pick_device
from anomalyos.features.recipes import Recipe, get_recipe
from anomalyos.features.weights import weights_identity

if TYPE_CHECKING:
    from torch import Tensor

LAYERS = (3, 4)
INPUT_SIZE = 160
VERSION = 1
"""Raised with every change of what :meth:`LiteEmbedder.images` computes."""
BATCH = 16
POWER = 3.0
"""Exponent of the generalised mean (Radenovic et al., "Fine-tuning CNN image retrieval", Eq. 3): between
the mean, which a small defect drowns in, and the maximum, which one odd pixel decides."""
CENTRE_SIGMA = 0.35
"""Spread of the weight around the middle, where the defect is, as a share of half the side."""


def embedding_recipe() -> Recipe:
    """The default recipe's backbone at other layers and another input size."""
    return get_recipe("lite", layers=LAYERS, input_size=INPUT_SIZE, border=0)


class LiteEmbedder:
    """EfficientNet-Lite0's two deepest levels, pooled towards the middle of the picture, each scaled to unit
    length so that neither drowns the other."""

    name = "lite"

    def __init__(self, settings: RuntimeSettings) -> None:
        """Raises ``WeightsMissing`` when the weights are not installed."""
        import threading

        import torch

        recipe = embedding_recipe()
        self.device = pick_device(settings)
        self.model = load_backbone(recipe, settings).to(self.device).to(memory_format=torch.channels_last)
        self.mean = torch.tensor(recipe.mean, device=self.device).view(1, 3, 1, 1)
        self.std = torch.tensor(recipe.std, device=self.device).view(1, 3, 1, 1)
        facts = [
            VERSION,
            LAYERS,
            INPUT_SIZE,
            POWER,
            CENTRE_SIGMA,
            recipe.backbone,
            weights_identity(recipe.weights, settings),
        ]
        self.digest = hashlib.sha256(json.dumps(facts).encode("ascii")).hexdigest()
        self._working = threading.Lock()
        self.dims = int(self._embed([np.zeros((INPUT_SIZE, INPUT_SIZE, 3), np.uint8)]).shape[1])

    def images(self, pictures: list[NDArray[np.uint8]]) -> Float32Array:
        """Unit-length vectors (N, dims) float32 of RGB pictures (H, W, 3) of any size; N may be 0."""
        batches = [
            self._embed([prepare(picture) for picture in pictures[start : start + BATCH]])
            for start in range(0, len(pictures), BATCH)
        ]
        return np.concatenate(batches) if batches else np.zeros((0, self.dims), np.float32)

    def _embed(self, squares: list[NDArray[np.uint8]]) -> Float32Array:
        import torch
        import torch.nn.functional as F  # noqa: N812

        with self._working, torch.inference_mode():
            batch = torch.from_numpy(np.stack(squares)).to(self.device).permute(0, 3, 1, 2)
            batch = (batch.float() / 255 - self.mean) / self.std
            maps = self.model(batch.contiguous(memory_format=torch.channels_last))
            levels = [F.normalize(pool(level), dim=1) for level in maps]
            vectors: Float32Array = F.normalize(torch.cat(levels, dim=1), dim=1).cpu().numpy()
        return vectors


def prepare(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """``rgb`` (H, W, 3) resized with antialiasing to (INPUT_SIZE, INPUT_SIZE, 3)."""
    from PIL import Image

    resized = Image.fromarray(rgb).resize((INPUT_SIZE, INPUT_SIZE), Image.Resampling.BICUBIC)
    return np.asarray(resized)


def pool(level: Tensor) -> Tensor:
    """(N, C, H, W) to (N, C): generalised mean over places, weighted by their nearness to the middle."""
    import torch

    rows, cols = (torch.linspace(-1, 1, size, device=level.device) for size in level.shape[2:])
    distances = rows[:, None] ** 2 + cols[None, :] ** 2
    weights = torch.exp(-distances / (2 * CENTRE_SIGMA**2))
    powered = level.clamp(min=1e-6) ** POWER
    return ((powered * weights).sum(dim=(2, 3)) / weights.sum()) ** (1 / POWER)
