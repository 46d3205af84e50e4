"""Runtimes: the same numbers whatever computes them, kept once, and a remark where one cannot."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.runtime import Engine, Runtime
from anomalyos.features import runtimes
from anomalyos.features.patches import PatchExtractor
from anomalyos.features.recipes import get_recipe
from anomalyos.features.runtimes import pick_engine


def pictures() -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    return [rng.integers(0, 256, (h, w, 3), dtype=np.uint8) for h, w in [(224, 224), (90, 300), (64, 64)]]


@pytest.mark.parametrize("recipe", ["lite", "dinov2_s"])
def test_the_runtimes_agree(recipe: str) -> None:
    found = {}
    for engine in ("torch", "openvino", "onnxruntime"):
        pytest.importorskip(engine)
        extractor = PatchExtractor(get_recipe(recipe), Runtime(runtime=engine, device="cpu", threads=2))
        found[engine] = extractor.extract(pictures())
    patches, whole = found["torch"]
    assert patches.dtype == torch.float32
    for other in ("openvino", "onnxruntime"):
        assert float((found[other][0] - patches).abs().max()) < 1e-4 * float(patches.abs().max())
        assert float((found[other][1] - whole).abs().max()) < 1e-5


def test_a_network_is_converted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Runtime(runtime="openvino", device="cpu", threads=2, compiled_dir=tmp_path / "compiled")
    recipe = get_recipe("lite", input_size=64, border=0)
    first, _ = PatchExtractor(recipe, settings).extract(pictures())
    (kept,) = (tmp_path / "compiled").iterdir()
    monkeypatch.setattr(runtimes, "_CONVERT", {})
    again, _ = PatchExtractor(recipe, settings).extract(pictures())
    assert torch.equal(first, again)
    assert kept.is_dir()
    with pytest.raises(AnomalyOSError, match="cannot compute this recipe"):
        PatchExtractor(get_recipe("lite", input_size=96), settings)


def test_without_a_folder_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    recipe = get_recipe("lite", input_size=64, border=0)
    patches, _ = PatchExtractor(recipe, Runtime(runtime="openvino", device="cpu")).extract(pictures())
    assert patches.shape == (3, 8, 8, 152)
    assert not list(tmp_path.iterdir())
    assert sys.modules["openvino_telemetry"] is None, "it would write to the home and report the use"


def test_auto_falls_back_to_torch_with_a_remark(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("an operation nobody knows")

    monkeypatch.setattr(runtimes, "_CONVERT", {"openvino": refuse})
    recipe = get_recipe("lite", input_size=64, border=0)
    with caplog.at_level(logging.WARNING, logger=runtimes.__name__):
        patches, _ = PatchExtractor(recipe, Runtime(device="cpu")).extract(pictures())
    assert patches.shape == (3, 8, 8, 152)
    assert "an operation nobody knows" in caplog.text


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_a_gpu_is_left_to_torch(engine: Engine) -> None:
    assert pick_engine(Runtime(), torch.device("cuda")) == "torch"
    with pytest.raises(AnomalyOSError, match="computes on the CPU only"):
        pick_engine(Runtime(runtime=engine), torch.device("cuda"))


def test_what_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtimes, "find_spec", lambda name: None)
    assert pick_engine(Runtime(), torch.device("cpu")) == "torch"
    with pytest.raises(AnomalyOSError, match="openvino is not installed"):
        pick_engine(Runtime(runtime="openvino"), torch.device("cpu"))
