"""Every crop, turned and mirrored, as the frozen part of the network gives it: computed once, used by all
trials, folds and epochs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor, nn

    from anomalyos.settings import Settings

MANY, FEW, ONE = (600, 8), (3000, 4), 1
"""Up to so many crops get so many views each; beyond, memory allows one."""


@dataclass(frozen=True)
class Views:
    """Frozen features of N crops under V views, the upright one first."""

    starts: tuple[Tensor, ...]
    """By number of tuned blocks: (N, V, 1280) float32, then maps (N, V, C, h, w) float16."""
    trunk: nn.Module

    def __len__(self) -> int:
        return len(self.starts[0])

    @property
    def count(self) -> int:
        """V"""
        return int(self.starts[0].shape[1])

    def subset(self, chosen: Sequence[int] | NDArray[np.int64]) -> Views:
        import torch

        rows = torch.as_tensor(np.asarray(chosen, dtype=np.int64))
        return Views(tuple(start[rows] for start in self.starts), self.trunk)


def views_for(crops: int) -> int:
    """How many views each of so many crops gets."""
    for most, views in (MANY, FEW):
        if crops <= most:
            return views
    return ONE


def turn(pictures: NDArray[np.uint8], view: int) -> NDArray[np.uint8]:
    """One of the eight symmetries of the square of (N, S, S, 3): the half turn and mirrors come before the
    quarter turns. A defect keeps its name under all of them."""
    turned = (pictures, pictures[:, ::-1, ::-1], pictures[:, :, ::-1], pictures[:, ::-1])
    if view < 4:
        return turned[view]
    return turned[view - 4].swapaxes(1, 2)


def compute_views(
    crops: NDArray[np.uint8], settings: Settings, progress: Callable[[float], None] | None = None
) -> Views:
    """Run the frozen network over all views of ``crops`` (N, S, S, 3).

    Raises:
        WeightsMissing: as ``load_trunk``.
    """
    import torch

    from anomalyos.features.backbones import pick_device
    from anomalyos.training import network

    device = pick_device(settings)
    trunk = network.load_trunk(settings).to(device)
    number = views_for(len(crops))
    starts: list[Tensor] = []
    done, steps = 0, number * -(-len(crops) // network.BATCH)
    with torch.inference_mode():
        for view in range(number):
            for first in range(0, len(crops), network.BATCH):
                batch = network.normalised(turn(crops[first : first + network.BATCH], view)).to(device)
                outputs = network.frozen_outputs(trunk, batch.contiguous(memory_format=torch.channels_last))
                if not starts:
                    starts = [_room(output, len(crops), number) for output in outputs]
                for start, output in zip(starts, outputs, strict=True):
                    start[first : first + len(output), view] = output.cpu().to(start.dtype)
                done += 1
                if progress is not None:
                    progress(done / steps)
    return Views(tuple(starts), trunk.cpu())


def _room(output: Tensor, crops: int, views: int) -> Tensor:
    """Maps are kept with half the digits: they are large, and what follows averages them."""
    import torch

    kind = torch.float32 if output.ndim == 2 else torch.float16
    return torch.empty((crops, views, *output.shape[1:]), dtype=kind)
