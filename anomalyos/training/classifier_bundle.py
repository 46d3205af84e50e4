"""Classifier bundles: directories that never change once written, verified file by file when loaded.

Only what training changed is stored, with the identity of the weights under it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from anomalyos.errors import BundleError
from anomalyos.features.weights import file_sha256

if TYPE_CHECKING:
    from torch import Tensor, nn

    from anomalyos.settings import Settings

FORMAT = 1
MANIFEST, WEIGHTS_FILE, OUT_OF_FOLD = "manifest.json", "weights.safetensors", "out_of_fold.json"
HINT = "Train it again with 'anomalyos classifier train'."
FloatArray = NDArray[np.float64]


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
        from anomalyos.training.network import normalised, resized

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

    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".writing-", dir=target.parent))
    try:
        save_file(tensors, staging / WEIGHTS_FILE)
        (staging / OUT_OF_FOLD).write_text(json.dumps(out_of_fold.to_json()), encoding="utf-8")
        files = {
            path.name: {"sha256": file_sha256(path), "bytes": path.stat().st_size}
            for path in sorted(staging.iterdir())
        }
        document = {**facts, "format": FORMAT, "files": files}
        text = json.dumps(document, indent=1, sort_keys=True, allow_nan=False)
        (staging / MANIFEST).write_text(text, encoding="utf-8")
        for path in staging.iterdir():
            _sync(path)
        staging.chmod(0o755)
        try:
            staging.rename(target)
        except OSError:
            # an earlier run that was killed had finished the same bundle
            return hashlib.sha256(_verified_manifest(target, None)).hexdigest()
        _sync(target.parent)
        return hashlib.sha256(text.encode()).hexdigest()
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def verify_classifier(folder: Path, expected_sha256: str | None = None) -> dict[str, Any]:
    """The manifest, after every file was held against it.

    Raises:
        BundleError: for a missing, changed or additional file, another format, or a manifest other than
            the one expected.
    """
    manifest: dict[str, Any] = json.loads(_verified_manifest(folder, expected_sha256))
    return manifest


def _verified_manifest(folder: Path, expected_sha256: str | None) -> bytes:
    try:
        text = (folder / MANIFEST).read_bytes()
        manifest = json.loads(text)
        files: dict[str, dict[str, Any]] = manifest["files"]
        if manifest["format"] != FORMAT:
            raise BundleError(
                f"The classifier {folder.name} has the format {manifest['format']}, not {FORMAT}.", HINT
            )
        present = {path.name for path in folder.iterdir()} - {MANIFEST}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BundleError(f"The classifier {folder.name} has no readable manifest.", HINT) from error
    if expected_sha256 is not None and hashlib.sha256(text).hexdigest() != expected_sha256:
        raise BundleError(f"The classifier {folder.name} is not the one that was put in use.", HINT)
    if present != set(files):
        odd = ", ".join(sorted(present ^ set(files)))
        raise BundleError(f"The classifier {folder.name} lacks or adds files: {odd}.", HINT)
    for name, entry in files.items():
        if file_sha256(folder / name) != entry["sha256"]:
            raise BundleError(f"{name} in the classifier {folder.name} was changed or damaged.", HINT)
    return text


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

    from anomalyos.features.backbones import pick_device
    from anomalyos.features.weights import weights_identity
    from anomalyos.training import network as nets

    text = _verified_manifest(folder, expected_sha256)
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
