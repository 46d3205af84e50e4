"""Pictures and sentences in one space: open_clip's ViT-B/32 (full profile), so words find pictures."""

from __future__ import annotations

import hashlib
import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from anomalyos.core.arrays import Float32Array
from anomalyos.core.files.hashing import file_sha256
from anomalyos.core.runtime import RuntimeSettings
from anomalyos.features.backbones import load_strictly, pick_device
from anomalyos.features.weights import WeightsMissing, read_state_dict

if TYPE_CHECKING:
    from torch import Tensor

ARCHITECTURE = "ViT-B-32"
QUICK = "-quickgelu"
HUB_TAG = "laion2b_s34b_b79k"
FILE_STEM = "clip_vit_b32"
VERSION = 1
"""Raised with every change of what the methods compute."""
BATCH = 16
_ORIGINAL = frozenset({"input_resolution", "context_length", "vocab_size"})
"""Numbers that only the first release's own files carry; those weights were trained with QuickGELU."""


class ClipEmbedder:
    """One open_clip model for pictures and for words. Safe to share between threads.

    Weights come from ``weights_dir/clip_vit_b32.safetensors`` (or ``.pt``), or as
    ``clip_vit_b32-quickgelu.*`` when they were trained with QuickGELU, as the first release was.
    """

    name = "open_clip"

    def __init__(self, settings: RuntimeSettings, architecture: str = ARCHITECTURE) -> None:
        """Raises ``WeightsMissing``: random weights are never used."""
        import open_clip
        import torch

        self.device = pick_device(settings)
        path = find_clip_weights(settings)
        if path is None:
            self.model: Any = open_clip.create_model(architecture, pretrained=HUB_TAG)
            identity = f"hub:{HUB_TAG}"
        else:
            architecture += QUICK if path.stem.endswith(QUICK) else ""
            self.model = load_clip(architecture, path)
            identity = file_sha256(path)
        self.model = self.model.float().to(self.device).eval()
        self.tokenise = open_clip.get_tokenizer(architecture)
        visual = self.model.visual
        size = visual.image_size
        self.side = int(size[0] if isinstance(size, tuple | list) else size)
        mean = getattr(visual, "image_mean", None) or open_clip.OPENAI_DATASET_MEAN
        std = getattr(visual, "image_std", None) or open_clip.OPENAI_DATASET_STD
        self.mean = torch.tensor(mean, device=self.device).view(1, 3, 1, 1)
        self.std = torch.tensor(std, device=self.device).view(1, 3, 1, 1)
        facts = [VERSION, architecture, identity, self.side, list(mean), list(std)]
        self.digest = hashlib.sha256(json.dumps(facts).encode("ascii")).hexdigest()
        self._working = threading.Lock()
        self.dims = int(self.texts([""]).shape[1])

    def images(self, pictures: list[NDArray[np.uint8]]) -> Float32Array:
        """Unit-length vectors (N, dims) float32 of RGB pictures (H, W, 3) of any size; N may be 0.

        Pictures are resized without cropping: a defect may sit at the edge.
        """
        import torch

        def encode(batch: list[NDArray[np.uint8]]) -> Tensor:
            array = np.stack([self._prepare(picture) for picture in batch])
            pixels = torch.from_numpy(array).to(self.device).permute(0, 3, 1, 2).float() / 255
            encoded: Tensor = self.model.encode_image((pixels - self.mean) / self.std)
            return encoded

        return self._in_batches(pictures, encode)

    def texts(self, sentences: list[str]) -> Float32Array:
        """Unit-length vectors (N, dims) float32; a sentence may be empty, and is cut at 77 tokens."""

        def encode(batch: list[str]) -> Tensor:
            encoded: Tensor = self.model.encode_text(self.tokenise(batch).to(self.device))
            return encoded

        return self._in_batches(sentences, encode)

    def _in_batches(self, items: list[Any], encode: Any) -> Float32Array:
        import torch
        import torch.nn.functional as F  # noqa: N812

        parts: list[Float32Array] = []
        with self._working, torch.inference_mode():
            for start in range(0, len(items), BATCH):
                vectors = F.normalize(encode(items[start : start + BATCH]), dim=1)
                parts.append(vectors.cpu().numpy().astype(np.float32))
        return np.concatenate(parts) if parts else np.zeros((0, self.dims), np.float32)

    def _prepare(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        from PIL import Image

        resized = Image.fromarray(rgb).resize((self.side, self.side), Image.Resampling.BICUBIC)
        return np.asarray(resized)


def find_clip_weights(settings: RuntimeSettings) -> Path | None:
    """The weight file, None when there is none and a hub may be asked.

    Raises:
        WeightsMissing: there is no file and no hub is allowed, or there are files of both kinds.
    """
    found: list[Path] = []
    if settings.weights_dir is not None:
        for stem in (FILE_STEM, FILE_STEM + QUICK):
            files = [settings.weights_dir / f"{stem}{suffix}" for suffix in (".safetensors", ".pt")]
            found += [path for path in files if path.is_file()][:1]
    if len(found) > 1:
        raise WeightsMissing(
            f"Both {found[0].name} and {found[1].name} are there.",
            "Keep the one whose name fits its training.",
        )
    if found:
        return found[0]
    if settings.allow_hub:
        return None
    raise WeightsMissing(
        "No weights for open_clip ViT-B/32.",
        f"Put {FILE_STEM}.safetensors (or .pt) into the folder named by ANOMALYOS_WEIGHTS_DIR, set "
        "ANOMALYOS_ALLOW_HUB=true to fetch them, or ANOMALYOS_EMBEDDER=lite to do without.",
    )


def load_clip(architecture: str, path: Path) -> Any:
    """The model with every parameter taken from ``path``.

    Raises:
        WeightsMissing: unreadable, for another architecture, or trained with another activation.
    """
    import logging

    import open_clip

    state = read_state_dict(path)
    if "state_dict" in state:  # a training checkpoint keeps them one level down
        state = state["state_dict"]  # type: ignore[assignment]
    state = {key.removeprefix("module."): value for key, value in state.items()}
    quick = bool(open_clip.get_model_config(architecture).get("quick_gelu"))
    if state.keys() >= _ORIGINAL and not quick:
        raise WeightsMissing(
            f"{path.name} was trained with QuickGELU: without it every vector would be slightly wrong.",
            f"Name it {FILE_STEM}{QUICK}{path.suffix}.",
        )
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)  # it warns of random weights, which the next line replaces
    try:
        model = open_clip.create_model(architecture, pretrained=None)
    finally:
        root.setLevel(level)
    load_strictly(model, state, architecture)
    return model
