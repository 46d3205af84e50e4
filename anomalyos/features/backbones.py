"""Frozen ImageNet backbones that turn images into feature maps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from anomalyos.core.runtime import RuntimeSettings
from anomalyos.features.recipes import PATCH_SIDES, Recipe
from anomalyos.features.weights import SOURCES, WeightsMissing, find_weights, read_state_dict

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn


def load_backbone(recipe: Recipe, settings: RuntimeSettings) -> nn.Module:
    """The recipe's backbone in eval mode, returning one (N, C, H, W) map for each layer.

    Raises:
        WeightsMissing: when the weights are absent or do not fit the architecture.
    """
    import timm

    if recipe.backbone in PATCH_SIDES:
        return freeze(load_transformer(recipe, settings))
    source = SOURCES[recipe.weights]
    path = find_weights(recipe.weights, settings)
    model = timm.create_model(
        recipe.backbone if path is not None else str(source.hub_tag),
        features_only=True,
        out_indices=recipe.layers,
        pretrained=path is None,
    )
    if path is not None:
        state = read_state_dict(path, source.sha256)
        if source.ordered:
            state = rename_in_order(state, timm.create_model(recipe.backbone))
        load_strictly(model, state, recipe.backbone)
    frozen: nn.Module = freeze(model)
    fold_batch_norms(frozen)
    return frozen


def load_transformer(recipe: Recipe, settings: RuntimeSettings) -> nn.Module:
    """A transformer cut after the recipe's last block, its position table resampled to the input size."""
    import timm
    from timm.layers.pos_embed import resample_abs_pos_embed

    from anomalyos.features.networks import TokenBackbone

    source = SOURCES[recipe.weights]
    path = find_weights(recipe.weights, settings)
    side = recipe.input_size // PATCH_SIDES[recipe.backbone]
    blocks = timm.create_model(
        recipe.backbone if path is not None else str(source.hub_tag),
        features_only=True,
        out_indices=recipe.layers,
        img_size=recipe.input_size,
        pretrained=path is None,
    )
    if path is not None:
        state = read_state_dict(path, source.sha256)
        if "pos_embed" in state:
            count = state["pos_embed"].shape[1]
            # as the encoder itself resamples its table; timm would smooth it first
            state["pos_embed"] = resample_abs_pos_embed(
                state["pos_embed"],
                [side, side],
                num_prefix_tokens=count - math.isqrt(count) ** 2,
                antialias=False,
            )
        load_strictly(blocks, {f"model.{name}": value for name, value in state.items()}, recipe.backbone)
    return TokenBackbone(blocks, len(recipe.layers))


def freeze(model: nn.Module) -> nn.Module:
    """``model`` in eval mode, its parameters without gradients."""
    for parameter in model.eval().parameters():
        parameter.requires_grad_(False)
    return model


def rename_in_order(state: dict[str, Tensor], reference: nn.Module) -> dict[str, Tensor]:
    """Tensors of ``state`` under the names of ``reference``, matched by position and shape.

    Raises:
        WeightsMissing: when the count or any shape differs.
    """
    target = reference.state_dict()
    same = len(target) == len(state) and all(
        ours.shape == theirs.shape for ours, theirs in zip(target.values(), state.values(), strict=True)
    )
    if not same:
        raise WeightsMissing(
            "The weight file belongs to another architecture.", "Reinstall with 'make install'."
        )
    return dict(zip(target, state.values(), strict=True))


def load_strictly(model: nn.Module, state: dict[str, Tensor], name: str) -> None:
    """Fill every parameter of ``model``; only layers the model does not have may be left over.

    Raises:
        WeightsMissing: when a parameter is missing or misshapen: random values would score silently.
    """
    wanted = model.state_dict()
    available = {key: value for key, value in state.items() if key in wanted}
    missing = [key for key in wanted if key not in available and not key.endswith("num_batches_tracked")]
    misshapen = [key for key, value in available.items() if value.shape != wanted[key].shape]
    if missing or misshapen:
        raise WeightsMissing(
            f"The weights do not fit {name}: {len(missing)} tensors missing, {len(misshapen)} misshapen.",
            f"First of them: {(missing + misshapen)[0]}.",
        )
    model.load_state_dict(available, strict=False)


def pick_device(settings: RuntimeSettings) -> torch.device:
    """CUDA when asked for or when there is one and the setting is ``auto``; else CPU.

    The whole process computes convolutions on CUDA in full precision from then on: cuDNN's TF32 moved scores
    by up to 3 % against those of a CPU, and a threshold learned on one machine must hold on another.
    """
    import torch

    if settings.threads is not None:
        torch.set_num_threads(settings.threads)
    torch.backends.cudnn.allow_tf32 = False
    if settings.device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(settings.device)


def fold_batch_norms(model: nn.Module) -> int:
    """Fold every batch norm that directly follows a convolution into it, in place.

    In eval mode both are affine, so one convolution does the work of two at equal outputs up to
    rounding. The activation that timm keeps inside its batch norms stays where it was.

    Returns:
        How many were folded.
    """
    from torch import nn
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    folded = 0
    for parent in list(model.modules()):
        before: tuple[str, nn.Module] | None = None
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Identity):
                continue
            if before is not None and isinstance(before[1], nn.Conv2d) and isinstance(child, nn.BatchNorm2d):
                setattr(parent, before[0], fuse_conv_bn_eval(before[1], child))
                setattr(parent, name, getattr(child, "act", nn.Identity()))
                folded += 1
            before = (name, child)
    return folded
