from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from anomalyos.core.settings import Settings
from anomalyos.features.depth.estimate import estimate_depth
from anomalyos.features.weights import WeightsMissing


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A DPT of a few thousand random parameters, in the layout of a published one."""
    from transformers import DPTConfig, DPTForDepthEstimation, DPTImageProcessor

    config = DPTConfig(
        hidden_size=16,
        num_hidden_layers=4,
        num_attention_heads=2,
        intermediate_size=16,
        image_size=32,
        patch_size=8,
        backbone_out_indices=[0, 1, 2, 3],
        neck_hidden_sizes=[8, 8, 8, 8],
        fusion_hidden_size=8,
        is_hybrid=False,
    )
    folder = tmp_path / "tiny-dpt"
    DPTForDepthEstimation(config).save_pretrained(folder)
    DPTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


def test_any_local_checkpoint_gives_depth_under_its_own_name(checkpoint: Path, settings: Settings) -> None:
    chosen = settings.model_copy(update={"depth_model": str(checkpoint)})
    rgb = np.random.default_rng(0).integers(0, 255, (40, 50, 3), dtype=np.uint8)
    depth = estimate_depth(rgb, chosen)
    assert depth.method == "tiny-dpt"
    assert depth.values.shape == (40, 50)
    assert np.isfinite(depth.values).all()


def test_a_checkpoint_that_lacks_tensors_is_refused(checkpoint: Path, settings: Settings) -> None:
    from safetensors.torch import load_file, save_file

    state = load_file(checkpoint / "model.safetensors")
    state.pop(next(key for key in state if "head" in key))
    save_file(state, checkpoint / "model.safetensors", metadata={"format": "pt"})
    chosen = settings.model_copy(update={"depth_model": str(checkpoint)})
    with pytest.raises(WeightsMissing, match="lacks 1 tensors"):
        estimate_depth(np.zeros((40, 50, 3), np.uint8), chosen)


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path, settings: Settings) -> None:
    chosen = settings.model_copy(update={"depth_model": str(tmp_path / "nothing")})
    with pytest.raises(WeightsMissing, match="There is no depth model"):
        estimate_depth(np.zeros((8, 8, 3), np.uint8), chosen)
