"""Grad-CAM++ and HiResCAM: which places of the photograph raise the score, by its gradient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from anomalyos.core.arrays import Float32Array
from anomalyos.core.errors import NotFound
from anomalyos.features.patches import PatchExtractor
from anomalyos.patchcore.model import PatchCoreModel

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor, nn

CamMethod = Literal["gradcam_pp", "hirescam"]
METHODS: tuple[CamMethod, ...] = get_args(CamMethod)
GRADCAM_VERSION = 1
"""Counts up whenever the same image and bundle would get another map."""
TOP_PATCHES = 1
"""k of the target, the mean of the k largest squared patch distances."""


@dataclass(frozen=True)
class CamHeat:
    """Where a gradient method sees the reason for a score."""

    method: CamMethod
    target: str
    """``distance``, or ``classifier:CLASS``."""
    layer: str
    values: Float32Array
    """(size, size) float32 in [0, 1]; all 0 when nothing speaks for the target."""


def explain_distance(
    method: CamMethod,
    rgb: NDArray[np.uint8],
    model: PatchCoreModel,
    extractor: PatchExtractor,
    *,
    top: int = TOP_PATCHES,
    layer: str | None = None,
) -> CamHeat:
    """Heat (input_size, input_size) of the anomaly score of one image (H, W, 3).

    The target is the mean of the ``top`` largest squared patch distances, the nearest memory vectors
    held fixed. Grad-CAM++ (Chattopadhay et al. 2018, Eq. 19) weighs channels as a class logit would
    need it, and fails on a distance when it is hooked to the backbone; it is hooked to the squared
    differences (p - c*)^2 themselves, of which the distance is the plain sum. HiResCAM (Draelos and
    Carin 2020, Eq. 5) multiplies gradient and activation place by place, at the recipe's finest layer.

    Args:
        layer: backbone module HiResCAM looks at, the recipe's finest level by default.

    Raises:
        NotFound: for an unknown method or layer.
    """
    from anomalyos.explain.distance_model import distance_model

    _check_method(method)
    network, batch = distance_model(rgb, model, extractor)
    module: nn.Module
    if method == "gradcam_pp":
        name, module = "squared_differences", network.squares
    else:
        name = layer or finest_layer(network.backbone)
        module = find_layer(network.backbone, name)

    def target(squared: Tensor) -> Tensor:
        return squared.flatten().topk(min(top, squared.numel())).values.mean()

    return CamHeat(method, "distance", name, _run(method, network, module, batch, target))


def explain_class(
    method: CamMethod,
    batch: Tensor,
    classifier: nn.Module,
    index: int,
    *,
    layer: str,
    label: str | None = None,
) -> CamHeat:
    """Heat (H, W) of one class's logit for one normalised image (1, 3, H, W).

    The classifier is put into eval mode and is otherwise left as it was; hooks are removed. Other
    threads must not use it meanwhile.

    Args:
        classifier: returns logits (1, classes).
        index: the class, from 0.
        layer: dotted name of a module whose output is (1, C, h, w), e.g. the last block.
        label: what to call the class, its number by default.

    Raises:
        NotFound: for an unknown method or layer.
        ValueError: for a batch of more than one image, or a class the classifier does not have.
    """
    _check_method(method)
    if batch.ndim != 4 or batch.shape[0] != 1:
        raise ValueError(f"one image (1, 3, H, W) is explained at a time, not {tuple(batch.shape)}")
    module = find_layer(classifier, layer)

    def target(logits: Tensor) -> Tensor:
        if not 0 <= index < len(logits):
            raise ValueError(f"class {index} does not exist: the classifier has {len(logits)}")
        return logits[index]

    values = _run(method, classifier, module, batch.detach().clone().requires_grad_(True), target)
    return CamHeat(method, f"classifier:{label or index}", layer, values)


def finest_layer(backbone: nn.Module) -> str:
    """Dotted name of the module that gives a backbone's finest level: ``blocks.2``."""
    if hasattr(backbone, "levels"):
        return "levels.0"
    name: str = backbone.feature_info.module_name(0)  # type: ignore[union-attr, operator]
    return name


def find_layer(network: nn.Module, name: str) -> nn.Module:
    """The module called ``name`` inside ``network``.

    Raises:
        NotFound: there is none.
    """
    modules: dict[str, nn.Module] = dict(network.named_modules())
    if not name or name not in modules:
        known = ", ".join(key for key in modules if key and key.count(".") <= 1)
        raise NotFound(f"The network has no layer '{name}'.", f"Among its layers are: {known}.")
    return modules[name]


def _check_method(method: str) -> None:
    if method not in METHODS:
        raise NotFound(f"There is no method '{method}'.", f"Known: {', '.join(METHODS)}.")


def _run(
    method: CamMethod,
    network: nn.Module,
    module: nn.Module,
    batch: Tensor,
    target: Callable[[Tensor], Tensor],
) -> Float32Array:
    import cv2
    import torch
    from pytorch_grad_cam import GradCAMPlusPlus, HiResCAM

    # the library resizes with OpenCV, whose own thread pool does not survive a fork
    cv2.setNumThreads(0)
    kind = GradCAMPlusPlus if method == "gradcam_pp" else HiResCAM
    with torch.inference_mode(False), torch.enable_grad(), kind(network, [module]) as cam:
        heat = cam(batch, targets=[target])[0]
    return np.asarray(np.nan_to_num(heat), dtype=np.float32).clip(0, 1)
