"""Classifier bundles: directories that never change once written, verified file by file when loaded.

Only what training changed is stored, with the identity of the weights under it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from anomalyos.classifier import network as nets
from anomalyos.classifier.network import normalised, resized
from anomalyos.core.errors import BundleError
from anomalyos.core.files.immutable import ImmutableDir
from anomalyos.core.settings import Settings
from anomalyos.features.backbones import pick_device
from anomalyos.features.weights import weights_identity

if TYPE_CHECKING:
    from torch import Tensor, nn

WEIGHTS_FILE, OUT_OF_FOLD = "weights.safetensors", "out_of_fold.json"
HINT = "Train it again with 'anomalyos classifier train'."
FORMAT = 1
CLASSIFIERS = ImmutableDir("classifier", FORMAT, "put in use", HINT)


def classifiers_dir(settings: Settings) -> Path:
    """Root of the immutable classifier versions: ``classifiers/CATEGORY/KEY``, named by their inputs."""
    return settings.home / "classifiers"


@dataclass(frozen=True)
class OutOfFold:
    """What networks that had not seen an example's part said of it."""

    keys: tuple[str, ...]
    """Content keys of the cases."""
    parts: tuple[str, ...]
    truth: tuple[str, ...]
    given: tuple[str, ...]

    def to_json(self) -> list[list[str]]:
        return [list(row) for row in zip(self.keys, self.parts, self.truth, self.given, strict=True)]

    @classmethod
    def from_json(cls, rows: list[list[str]]) -> OutOfFold:
        columns = [tuple(str(row[place]) for row in rows) for place in range(4)]
        return cls(*columns)


@dataclass(frozen=True)
class Classifier:
    """One loaded version."""

    sha256: str
    """SHA-256 of the manifest, which covers every other file."""
    manifest: dict[str, Any]
    network: nn.Module
    """In eval mode: normalised images (N, 3, S, S) to logits (N, classes)."""

    @property
    def category(self) -> str:
        return str(self.manifest["category"])

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(self.manifest["classes"])

    @property
    def temperature(self) -> float:
        return float(self.manifest["temperature"])

    @property
    def threshold(self) -> float:
        """Probability below which no name is given."""
        return float(self.manifest["threshold"])

    @property
    def input_size(self) -> int:
        return int(self.manifest["options"]["input_size"])

    def batch(self, rgb: NDArray[np.uint8]) -> Tensor:
        """One crop (H, W, 3) as the network takes it, (1, 3, S, S), on its device."""
        device = next(self.network.parameters()).device
        return normalised(resized(rgb, self.input_size)[None]).to(device)


def write_classifier(
    target: Path, tensors: dict[str, Tensor], out_of_fold: OutOfFold, facts: dict[str, Any]
) -> str:
    """Write a bundle to ``target`` in one step: there is a whole bundle afterwards, or none.

    Args:
        facts: what the manifest records: category, classes, temperature, threshold, weights, hyperparameters,
            options, data_hash, metrics, content_key.

    Returns:
        SHA-256 of the manifest. A bundle that already lies at ``target`` is verified and kept.

    Raises:
        BundleError: something damaged lies at ``target``.
    """
    from safetensors.torch import save_file

    def fill(folder: Path) -> None:
        save_file(tensors, folder / WEIGHTS_FILE)
        (folder / OUT_OF_FOLD).write_text(json.dumps(out_of_fold.to_json()), encoding="utf-8")

    return CLASSIFIERS.write(target, fill, facts)


def verify_classifier(folder: Path, expected_sha256: str | None = None) -> dict[str, Any]:
    """The manifest, after every file was held against it.

    Raises:
        BundleError: for a missing, changed or additional file, another format, or a manifest other than
            the one expected.
    """
    manifest: dict[str, Any] = json.loads(CLASSIFIERS.read(folder, expected_sha256))
    return manifest


def read_out_of_fold(folder: Path, expected_sha256: str | None = None) -> OutOfFold:
    """Raises ``BundleError`` as ``verify_classifier``."""
    verify_classifier(folder, expected_sha256)
    return OutOfFold.from_json(json.loads((folder / OUT_OF_FOLD).read_bytes()))


def load_classifier(folder: Path, expected_sha256: str | None, settings: Settings) -> Classifier:
    """Verify and load a bundle.

    Raises:
        BundleError: it is not exactly what was written, or its weights stand on others than the installed.
        WeightsMissing: the weights under it are not installed.
    """
    from safetensors.torch import load_file

    text = CLASSIFIERS.read(folder, expected_sha256)
    manifest = json.loads(text)
    if manifest["weights"] != weights_identity(nets.WEIGHTS, settings):
        raise BundleError(
            f"The classifier {folder.name} was trained on other {nets.WEIGHTS} weights.",
            f"Install the weights it was trained on. {HINT}",
        )
    network = nets.with_head(nets.load_trunk(settings), len(manifest["classes"]))
    tensors = load_file(folder / WEIGHTS_FILE)
    wanted = nets.tuned_names(network, int(manifest["hyperparameters"]["blocks"]))
    own = network.state_dict()
    if set(tensors) != set(wanted) or any(tensors[name].shape != own[name].shape for name in wanted):
        raise BundleError(f"The weights of the classifier {folder.name} do not fit its network.", HINT)
    network.load_state_dict(tensors, strict=False)
    network.to(pick_device(settings)).eval()
    return Classifier(hashlib.sha256(text).hexdigest(), manifest, network)
