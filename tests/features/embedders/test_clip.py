from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from anomalyos.core.settings import Settings
from anomalyos.features.embedders import get_image_embedder
from anomalyos.features.embedders.clip import ClipEmbedder, find_clip_weights
from anomalyos.features.weights import WeightsMissing

TINY = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "head_width": 32, "patch_size": 8},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2},
}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """Name of a small architecture, plain and with QuickGELU, and a weight file for it."""
    import open_clip
    import torch

    folder = tmp_path_factory.mktemp("clip")
    for name, more in (("tiny-clip", {}), ("tiny-clip-quickgelu", {"quick_gelu": True})):
        (folder / f"{name}.json").write_text(json.dumps(TINY | more))
        open_clip.add_model_config(folder / f"{name}.json")
    torch.manual_seed(0)
    torch.save(open_clip.create_model("tiny-clip").state_dict(), folder / "clip_vit_b32.pt")
    return "tiny-clip", folder


def test_pictures_and_words_share_a_space(settings: Settings, tiny: tuple[str, Path]) -> None:
    name, settings.weights_dir = tiny
    embedder = ClipEmbedder(settings, name)
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (40, 60, 3), np.uint8) for _ in range(18)]
    seen, said = embedder.images(pictures), embedder.texts(["a crack", ""])
    assert seen.shape == (18, embedder.dims)
    assert said.shape == (2, 32)
    np.testing.assert_allclose(np.linalg.norm(np.concatenate([seen, said]), axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(embedder.images(pictures[17:]), seen[17:], atol=1e-5)
    assert embedder.images([]).shape == (0, 32)
    assert ClipEmbedder(settings, name).digest == embedder.digest


def test_other_weights_have_another_digest(
    settings: Settings, tiny: tuple[str, Path], tmp_path: Path
) -> None:
    import torch

    name, settings.weights_dir = tiny
    first = ClipEmbedder(settings, name)
    state = torch.load(tiny[1] / "clip_vit_b32.pt", weights_only=True)
    state["visual.proj"] += 1
    torch.save(state, tmp_path / "clip_vit_b32.pt")
    settings.weights_dir = tmp_path
    assert ClipEmbedder(settings, name).digest != first.digest


def test_without_weights_it_refuses_and_names_the_file(settings: Settings, tmp_path: Path) -> None:
    settings.embedder = "open_clip"
    settings.weights_dir = tmp_path
    with pytest.raises(WeightsMissing, match=r"clip_vit_b32\.safetensors"):
        get_image_embedder(settings)
    settings.allow_hub = True
    assert find_clip_weights(settings) is None


def test_weights_of_another_architecture_are_refused(settings: Settings, tiny: tuple[str, Path]) -> None:
    settings.weights_dir = tiny[1]
    with pytest.raises(WeightsMissing, match="do not fit"):
        ClipEmbedder(settings, "ViT-B-32")


def test_weights_trained_with_quickgelu_are_not_used_without_it(
    settings: Settings, tiny: tuple[str, Path], tmp_path: Path
) -> None:
    import torch

    state = torch.load(tiny[1] / "clip_vit_b32.pt", weights_only=True)
    marks = {key: torch.tensor(1) for key in ("input_resolution", "context_length", "vocab_size")}
    torch.save(state | marks, tmp_path / "clip_vit_b32.pt")
    settings.weights_dir = tmp_path
    with pytest.raises(WeightsMissing, match=r"clip_vit_b32-quickgelu\.pt"):
        ClipEmbedder(settings, tiny[0])
    (tmp_path / "clip_vit_b32.pt").rename(tmp_path / "clip_vit_b32-quickgelu.pt")
    assert ClipEmbedder(settings, tiny[0]).dims == 32
    (tmp_path / "clip_vit_b32.pt").touch()
    with pytest.raises(WeightsMissing, match="Both"):
        find_clip_weights(settings)
