"""Every example under several views, as the frozen part of the network gives it: computed once, used by all
trials, folds and epochs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from anomalyos.classifier import network
from anomalyos.classifier.crops import Picture
from anomalyos.core.settings import Settings
from anomalyos.features.backbones import pick_device

if TYPE_CHECKING:
    from torch import Tensor, nn

MANY, FEW, ONE = (600, 8), (3000, 4), 1
"""Up to so many examples get so many views each; beyond, memory allows one."""


@dataclass(frozen=True)
class Views:
    """Frozen features of N examples under V views, the plain one first."""

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


def views_for(examples: int) -> int:
    """How many views each of so many examples gets."""
    for most, views in (MANY, FEW):
        if examples <= most:
            return views
    return ONE


def compute_views(
    pictures: Callable[[int], list[Picture]],
    examples: int,
    settings: Settings,
    progress: Callable[[float], None] | None = None,
) -> Views:
    """Run the frozen network over all views.

    Args:
        pictures: gives the views of example 0, 1, ...: equally many of (S, S, 3) for each.

    Raises:
        WeightsMissing: as ``load_trunk``.
    """
    import torch

    device = pick_device(settings)
    trunk = network.load_trunk(settings).to(device)
    starts: list[Tensor] = []
    for first, views, batch in _batches(pictures, examples, network.BATCH):
        with torch.inference_mode():
            inputs = network.normalised(batch).to(device)
            outputs = network.frozen_outputs(trunk, inputs.contiguous(memory_format=torch.channels_last))
        if not starts:
            starts = [_room(output, examples, views) for output in outputs]
        for start, output in zip(starts, outputs, strict=True):
            rows = output.cpu().to(start.dtype).reshape(-1, views, *output.shape[1:])
            start[first : first + len(rows)] = rows
        if progress is not None:
            progress((first + len(batch) // views) / examples)
    return Views(tuple(starts), trunk.cpu())


def _batches(
    pictures: Callable[[int], list[Picture]], examples: int, size: int
) -> Iterator[tuple[int, int, Picture]]:
    """(first example, V, all views of some examples (n V, S, S, 3)), about ``size`` pictures at a time."""
    first, waiting = 0, list[list[NDArray[np.uint8]]]()
    for place in range(examples):
        waiting.append(pictures(place))
        if len(waiting) * len(waiting[0]) >= size or place == examples - 1:
            yield first, len(waiting[0]), np.stack([picture for views in waiting for picture in views])
            first, waiting = place + 1, []


def _room(output: Tensor, examples: int, views: int) -> Tensor:
    """Maps are kept with half the digits: they are large, and what follows averages them."""
    import torch

    kind = torch.float32 if output.ndim == 2 else torch.float16
    return torch.empty((examples, views, *output.shape[1:]), dtype=kind)
