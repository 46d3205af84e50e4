from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from anomalyos.core.settings import Settings
from anomalyos.features.depth.estimate import estimate_depth
from anomalyos.features.depth.midas import MidasSmall, build_network, prepare
from anomalyos.features.weights import WeightsMissing


@pytest.fixture
def released(tmp_path: Path, settings: Settings) -> Settings:
    """Settings whose weights folder holds a file of the released layout, its values made up."""
    torch.manual_seed(0)
    folder = tmp_path / "weights"
    folder.mkdir()
    torch.save(build_network().state_dict(), folder / "midas_small.pt")
    return settings.model_copy(update={"weights_dir": folder, "depth_model": "midas_small"})


def test_the_network_has_the_released_number_of_parameters() -> None:
    # 21.3 million, as the model's authors count; the names below are those of their state dict
    network = build_network()
    assert sum(parameter.numel() for parameter in network.parameters()) == 21_320_545
    names = set(network.state_dict())
    assert "pretrained.layer1.3.0.conv_dw.weight" in names
    assert "scratch.refinenet4.resConfUnit2.conv1.bias" in names
    assert "scratch.output_conv.4.weight" in names


def test_depth_has_the_photographs_shape_and_comes_from_the_file(released: Settings) -> None:
    rgb = np.random.default_rng(0).integers(0, 255, (90, 140, 3), dtype=np.uint8)
    depth = estimate_depth(rgb, released)
    assert depth.method == "midas_small"
    assert depth.values.shape == (90, 140)
    again = MidasSmall(released)(rgb)
    assert np.corrcoef(depth.values.ravel(), again.ravel())[0, 1] > 0.999


def test_pictures_are_scaled_to_whole_cells() -> None:
    assert prepare(np.zeros((90, 140, 3), np.uint8)).shape == (1, 3, 160, 256)
    assert prepare(np.zeros((10, 2000, 3), np.uint8)).shape == (1, 3, 32, 256)


def test_weights_of_another_network_are_refused(released: Settings) -> None:
    folder = released.weights_dir
    assert folder is not None
    state = build_network().state_dict()
    state.pop("scratch.layer1_rn.weight")
    torch.save(state, folder / "midas_small.pt")
    with pytest.raises(WeightsMissing, match="not the weights of MiDaS"):
        MidasSmall(released)


def test_without_weights_the_refusal_names_the_file(settings: Settings) -> None:
    with pytest.raises(WeightsMissing, match="No weights for midas_small") as refusal:
        MidasSmall(settings)
    assert "midas_small.safetensors" in refusal.value.hint
