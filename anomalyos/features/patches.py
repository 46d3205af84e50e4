"""Patch features: multi-layer, neighbourhood-aware, one vector for each place (paper, section 3.1)."""

from __future__ import annotations

import threading
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from anomalyos.core.runtime import RuntimeSettings
from anomalyos.features.backbones import load_backbone, pick_device
from anomalyos.features.recipes import Recipe
from anomalyos.features.runtimes import forward_pass
from anomalyos.features.weights import weights_identity

if TYPE_CHECKING:
    from torch import Tensor

    from anomalyos.features.networks import PatchNetwork


class PatchExtractor:
    """Turns RGB images into a grid of patch vectors with one recipe's backbone."""

    def __init__(self, recipe: Recipe, settings: RuntimeSettings) -> None:
        """Raises ``WeightsMissing`` when the weights are absent or do not fit."""
        self.recipe = recipe
        self.settings = settings
        self.device = pick_device(settings)
        self._loading = threading.Lock()
        facts = (*recipe.feature_key(), weights_identity(recipe.weights, settings))
        self._forward = forward_pass(lambda: self.network, recipe.input_size, facts, settings, self.device)

    @cached_property
    def network(self) -> PatchNetwork:
        """The network in torch: what other runtimes are converted from, and what has gradients.

        It is loaded when first asked for; where a converted one is kept, that is when an explanation is.
        """
        from anomalyos.features.networks import PatchNetwork

        with self._loading:
            return PatchNetwork(self.recipe, load_backbone(self.recipe, self.settings)).eval().to(self.device)

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
            whole: (N, C) float32, unit length: the levels averaged, for routing
        """
        return self._forward(np.stack([self.prepare(image) for image in images]))
