"""Fitting the head, then the last blocks, on frozen features."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from anomalyos.classifier import network as nets
from anomalyos.classifier.dataset import Labels
from anomalyos.classifier.views import Views
from anomalyos.core.arrays import Float64Array
from anomalyos.core.settings import Settings
from anomalyos.features.backbones import pick_device

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

HEAD_EPOCHS = 40
HEAD_BATCH, TAIL_BATCH = 32, 16


@dataclass(frozen=True)
class Hyperparameters:
    """What the search chooses. The defaults are its first trial."""

    blocks: int = 1
    """Last blocks that are unfrozen: 0 trains the head alone."""
    head_rate: float = 5e-3
    weight_decay: float = 1e-3
    dropout: float = 0.2
    smoothing: float = 0.0
    """Label smoothing."""
    balance: Literal["weights", "sampling"] = "weights"
    """Rare classes weigh more in the loss, or are drawn as often as frequent ones."""
    beta: float = 0.99
    """Of the effective number of examples; 0 weighs all alike. Only with ``weights``."""
    tail_rate: float = 3e-4
    tail_epochs: int = 6

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


Checkpoint = Callable[["Fitted"], None]
"""Called half way through."""


@dataclass(frozen=True)
class Fitted:
    """A trained network, and the part of it that starts from frozen features."""

    network: nn.Module
    tail: nn.Module
    blocks: int

    def logits(self, views: Views) -> Float64Array:
        """(N, classes) of the upright crops."""
        import torch

        self.tail.eval()
        start = views.starts[self.blocks]
        with torch.inference_mode():
            parts = [
                self.tail(start[first : first + 64, 0].float().to(_device(self.tail)))
                for first in range(0, len(start), 64)
            ]
        found: Float64Array = torch.cat(parts).cpu().double().numpy()
        return found


def class_weights(labels: Labels, classes: int, beta: float) -> Float64Array:
    """Weight of each class, (classes,): the inverse of its effective number of examples.

    (1 - beta) / (1 - beta^n), scaled to sum to the number of classes (Cui et al. 2019, "Class-balanced
    loss based on effective number of samples", Eq. 4). Classes without examples weigh nothing.
    """
    counts = np.bincount(labels, minlength=classes)
    effective = (1 - np.power(beta, counts)) / (1 - beta)
    weights = np.where(counts > 0, 1 / np.maximum(effective, 1e-12), 0.0)
    return np.asarray(weights * (np.count_nonzero(counts) / weights.sum()), dtype=np.float64)


def fit(
    views: Views,
    labels: Labels,
    classes: int,
    chosen: Hyperparameters,
    settings: Settings,
    *,
    seed: int = 0,
    half_way: Checkpoint | None = None,
) -> Fitted:
    """Train on ``views`` with ``labels`` (N,); the same inputs and seed give the same network.

    The head is fitted on pooled features first: a fresh head's gradients would spoil the blocks under it.
    Batch norms keep ImageNet's statistics, for batches are small.
    """
    import torch

    device = pick_device(settings)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = nets.with_head(copy.deepcopy(views.trunk), classes).to(device)
        loss = _loss(labels, classes, chosen, device)
        head = Fitted(network, nets.tuned_part(network, 0, chosen.dropout), 0)
        early = half_way if chosen.blocks == 0 else None
        _train(head, views, labels, loss, chosen, epochs=HEAD_EPOCHS, batch=HEAD_BATCH, half_way=early)
        if chosen.blocks == 0:
            return head
        tail = Fitted(network, nets.tuned_part(network, chosen.blocks, chosen.dropout), chosen.blocks)
        _train(
            tail, views, labels, loss, chosen, epochs=chosen.tail_epochs, batch=TAIL_BATCH, half_way=half_way
        )
    return tail


def _loss(labels: Labels, classes: int, chosen: Hyperparameters, device: torch.device) -> nn.Module:
    import torch

    weights = None
    if chosen.balance == "weights":
        weights = torch.tensor(class_weights(labels, classes, chosen.beta), dtype=torch.float32).to(device)
    return torch.nn.CrossEntropyLoss(weight=weights, label_smoothing=chosen.smoothing)


def _train(
    fitted: Fitted,
    views: Views,
    labels: Labels,
    loss: nn.Module,
    chosen: Hyperparameters,
    *,
    epochs: int,
    batch: int,
    half_way: Checkpoint | None,
) -> None:
    """AdamW with a rate that falls along a cosine, one view of each example an epoch."""
    import torch

    truth = torch.from_numpy(labels)
    optimiser = _optimiser(fitted, chosen)
    steps = epochs * math.ceil(len(labels) / batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    start = views.starts[fitted.blocks]
    device = _device(fitted.tail)
    for epoch in range(epochs):
        _mode(fitted.tail)
        order = _order(labels, chosen)
        turned = torch.randint(views.count, (len(order),))
        for first in range(0, len(order), batch):
            rows = order[first : first + batch]
            inputs = start[rows, turned[first : first + batch]].float().to(device)
            optimiser.zero_grad()
            loss(fitted.tail(inputs), truth[rows].to(device)).backward()
            optimiser.step()
            schedule.step()
        if half_way is not None and epoch + 1 == (epochs + 1) // 2:
            half_way(fitted)


def _order(labels: Labels, chosen: Hyperparameters) -> Tensor:
    """Places of one epoch's examples, (N,)."""
    import torch

    if chosen.balance == "weights":
        return torch.randperm(len(labels))
    counts = np.bincount(labels)
    return torch.multinomial(torch.from_numpy(1.0 / counts[labels]), len(labels), replacement=True)


def _optimiser(fitted: Fitted, chosen: Hyperparameters) -> torch.optim.Optimizer:
    """The head fast, the blocks under it slowly."""
    import torch

    head = list(fitted.network.get_submodule("classifier").parameters())
    own = {id(parameter) for parameter in head}
    rest = [parameter for parameter in fitted.tail.parameters() if id(parameter) not in own]
    # a head that was fitted already is only to follow
    groups = [{"params": head, "lr": chosen.head_rate if not rest else chosen.tail_rate}]
    if rest:
        groups.append({"params": rest, "lr": chosen.tail_rate})
    return torch.optim.AdamW(groups, weight_decay=chosen.weight_decay)


def _mode(tail: nn.Module) -> None:
    """Only dropout behaves as in training."""
    from torch import nn

    tail.eval()
    for module in tail.modules():
        if isinstance(module, nn.Dropout):
            module.train()


def _device(module: nn.Module) -> torch.device:
    return next(module.parameters()).device
