"""Weights: the right file, whole, or none at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file

from anomalyos.core.files.hashing import file_sha256
from anomalyos.core.settings import Settings
from anomalyos.features.backbones import fold_batch_norms, load_backbone, rename_in_order
from anomalyos.features.patches import PatchExtractor
from anomalyos.features.recipes import PATCH_SIDES, get_recipe
from anomalyos.features.weights import (
    SOURCES,
    WeightsMissing,
    find_weights,
    read_state_dict,
    weights_identity,
)

FULL = get_recipe("wide_resnet50", backbone="resnet10t", input_size=64)
"""The full profile's loading path with an architecture small enough to make weights for here."""


@pytest.fixture
def with_full_weights(settings: Settings, tmp_path: Path) -> Settings:
    torch.manual_seed(0)
    state = timm.create_model("resnet10t").state_dict()
    folder = tmp_path / "weights"
    folder.mkdir()
    save_file(state, folder / "wide_resnet50_2.safetensors")
    settings.weights_dir = folder
    return settings


@pytest.mark.parametrize("name", ["lite", "lite2"])
def test_shipped_weights_are_the_pinned_ones_and_see_things(settings: Settings, name: str) -> None:
    recipe = get_recipe(name)
    path = find_weights(recipe.weights, settings)
    assert path is not None
    assert file_sha256(path) == SOURCES[recipe.weights].sha256 == weights_identity(recipe.weights, settings)
    model = load_backbone(recipe, settings)
    with torch.inference_mode():
        shapes = [tuple(level.shape[2:]) for level in model(torch.randn(1, 3, 224, 224))]
    assert shapes == [(28, 28), (14, 14)]
    assert not any(parameter.requires_grad for parameter in model.parameters())


def test_folding_batch_norms_changes_no_output(settings: Settings) -> None:
    source = SOURCES["efficientnet_lite0"]
    assert source.wheel is not None
    plain = timm.create_model("tf_efficientnet_lite0")
    plain.load_state_dict(rename_in_order(read_state_dict(source.wheel()), plain))
    plain.eval()
    image = torch.randn(2, 3, 96, 96, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        before = plain(image)
        assert fold_batch_norms(plain) == 49
        after = plain(image)
    assert torch.allclose(before, after, rtol=1e-3, atol=1e-4)
    assert not any(type(module).__name__.startswith("BatchNorm") for module in plain.modules())


def test_the_full_profile_loads_a_local_file(with_full_weights: Settings) -> None:
    model = load_backbone(FULL, with_full_weights)
    torch.manual_seed(0)
    expected = timm.create_model("resnet10t", features_only=True, out_indices=(2, 3))
    stored = read_state_dict(with_full_weights.weights_dir / "wide_resnet50_2.safetensors")
    expected.load_state_dict({key: stored[key] for key in expected.state_dict()})
    image = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        for ours, theirs in zip(model(image), expected.eval()(image), strict=True):
            assert torch.allclose(ours, theirs, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", ["dinov2_s_original", "dinov3_s"])
def test_the_full_profiles_transformers_load_a_local_file(
    settings: Settings, tmp_path: Path, name: str
) -> None:
    recipe = get_recipe(name)
    torch.manual_seed(0)
    state = timm.create_model(recipe.backbone, num_classes=0).state_dict()
    save_file(state, tmp_path / f"{recipe.weights}.safetensors")
    settings.weights_dir, settings.runtime = tmp_path, "torch"
    patches, _ = PatchExtractor(recipe, settings).extract([np.full((80, 100, 3), 90, dtype=np.uint8)])
    side = recipe.input_size // PATCH_SIDES[recipe.backbone]
    assert patches.shape == (1, side, side, len(recipe.layers) * 384)
    assert patches.isfinite().all()
    assert patches.std() > 0


def test_a_missing_tensor_is_refused_not_made_up(with_full_weights: Settings) -> None:
    assert with_full_weights.weights_dir is not None
    path = with_full_weights.weights_dir / "wide_resnet50_2.safetensors"
    state = read_state_dict(path)
    state.pop("layer2.0.conv1.weight")
    save_file(state, path)
    with pytest.raises(WeightsMissing, match="1 tensors missing"):
        load_backbone(FULL, with_full_weights)


def test_weights_of_another_architecture_are_refused(with_full_weights: Settings) -> None:
    with pytest.raises(WeightsMissing, match="do not fit resnet50"):
        load_backbone(FULL.model_copy(update={"backbone": "resnet50"}), with_full_weights)


def test_no_weights_says_where_to_put_them(settings: Settings) -> None:
    with pytest.raises(WeightsMissing, match="ANOMALYOS_WEIGHTS_DIR"):
        find_weights("wide_resnet50_2", settings)
    settings.allow_hub = True
    assert find_weights("wide_resnet50_2", settings) is None
    assert weights_identity("wide_resnet50_2", settings) == "hub:wide_resnet50_2.tv_in1k"


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_file({"a": torch.ones(3)}, path)
    with pytest.raises(WeightsMissing, match="SHA-256"):
        read_state_dict(path, "0" * 64)


def test_a_pickle_with_code_in_it_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.pth"
    torch.save({"a": torch.nn.Linear(2, 2)}, path)
    with pytest.raises(WeightsMissing, match="cannot be read as weights"):
        read_state_dict(path)


def test_tensors_in_another_order_are_refused(settings: Settings) -> None:
    reference = timm.create_model("resnet10t")
    shuffled = dict(reversed(reference.state_dict().items()))
    with pytest.raises(WeightsMissing, match="another architecture"):
        rename_in_order(shuffled, reference)
