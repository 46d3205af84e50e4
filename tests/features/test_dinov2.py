"""The encoder inside the ONNX file is the network that the file computes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.runtime import Runtime
from anomalyos.features.backbones import load_backbone
from anomalyos.features.dinov2 import read_onnx_encoder
from anomalyos.features.recipes import get_recipe
from anomalyos.features.weights import find_weights

BLOCK = "/backbone/encoder/layer.{}/Add_1_output_0"


def test_the_blocks_give_what_the_file_computes(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    path = find_weights("dinov2_s", Runtime())
    assert path is not None
    model = onnx.load(str(path))
    for number in (5, 8):
        model.graph.output.append(onnx.ValueInfoProto(name=BLOCK.format(number)))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    pixels = np.random.default_rng(0).normal(size=(1, 3, 224, 224)).astype(np.float32)
    expected = session.run([BLOCK.format(5), BLOCK.format(8)], {"input_image": pixels})

    with torch.inference_mode():
        found = load_backbone(get_recipe("dinov2_s"), Runtime())(torch.from_numpy(pixels))
    for level, tokens in zip(found, expected, strict=True):
        maps = tokens[:, 1:].reshape(1, 16, 16, 384).transpose(0, 3, 1, 2)
        # the file resamples the position table by another cubic kernel, which is all that differs
        assert level.shape == maps.shape
        assert float(np.corrcoef(level.numpy().ravel(), maps.ravel())[0, 1]) > 0.999


def test_every_tensor_of_the_encoder_is_found() -> None:
    timm = pytest.importorskip("timm")
    path = find_weights("dinov2_s", Runtime())
    assert path is not None
    state = read_onnx_encoder(path)
    timm.create_model("vit_small_patch14_dinov2", num_classes=0).load_state_dict(state, strict=True)
    assert all(tensor.dtype == torch.float32 for tensor in state.values())


def test_what_is_no_such_file_is_refused(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    other = tmp_path / "other.onnx"
    other.write_bytes(b"\x00 not a model")
    with pytest.raises(AnomalyOSError, match=r"other\.onnx holds no DINOv2 encoder"):
        read_onnx_encoder(other)
    graph = onnx.helper.make_graph([], "empty", [], [])
    onnx.save(onnx.helper.make_model(graph), str(other))
    with pytest.raises(AnomalyOSError, match="holds no DINOv2 encoder"):
        read_onnx_encoder(other)
