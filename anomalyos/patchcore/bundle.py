"""Model bundles: directories that never change once written, verified file by file when loaded."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from anomalyos.core.errors import BundleError
from anomalyos.core.files.immutable import ImmutableDir
from anomalyos.core.runtime import RuntimeSettings
from anomalyos.features.recipes import Recipe
from anomalyos.features.reduction import Reduction
from anomalyos.features.weights import weights_identity
from anomalyos.patchcore.calibration import Calibration
from anomalyos.patchcore.memory_bank import MemoryBank
from anomalyos.patchcore.model import PatchCoreModel
from anomalyos.patchcore.router import Prototype

FORMAT = 1
ALGORITHM = 1
"""Version of what features and PatchCore compute. It counts up whenever the same images and recipe would give
other numbers, so that no bundle of the code before is taken for one of this code."""
HINT = "Roll back with 'anomalyos models rollback', or rebuild with 'anomalyos rebuild --force'."
BUNDLES = ImmutableDir("bundle", FORMAT, "promoted", HINT)


@dataclass(frozen=True)
class Bundle:
    """One loaded model version."""

    folder: Path
    sha256: str
    """SHA-256 of the manifest, which covers every other file."""
    manifest: dict[str, Any]
    model: PatchCoreModel
    calibration: Calibration
    prototype: Prototype

    @property
    def category(self) -> str:
        return str(self.manifest["category"])

    @property
    def recipe(self) -> Recipe:
        return self.model.recipe

    @property
    def training_images(self) -> list[dict[str, str]]:
        """``{"path", "sha256"}`` of each training image, in the order ``bank.origin`` counts them."""
        images: list[dict[str, str]] = self.manifest["training_images"]
        return images

    def size_bytes(self) -> int:
        return sum(entry["bytes"] for entry in self.manifest["files"].values())


def write_bundle(
    target: Path,
    *,
    model: PatchCoreModel,
    calibration: Calibration,
    prototype: Prototype,
    facts: dict[str, Any],
) -> str:
    """Write a bundle to ``target`` in one step: there is a whole bundle afterwards, or none.

    Args:
        facts: what else the manifest records: category, weights, data hash, training images.

    Returns:
        SHA-256 of the manifest. A bundle that already lies at ``target`` is verified and kept.

    Raises:
        BundleError: when something damaged lies at ``target``.
    """
    facts = {
        **facts,
        "recipe": model.recipe.model_dump(mode="json"),
        "recipe_sha256": model.recipe.digest(),
    }
    return BUNDLES.write(target, lambda folder: _write_parts(folder, model, calibration, prototype), facts)


def _write_parts(folder: Path, model: PatchCoreModel, calibration: Calibration, prototype: Prototype) -> None:
    from safetensors.torch import save_file

    model.bank.save(folder)
    save_file(model.reduction.tensors(), folder / "reduction.safetensors")
    np.save(folder / "prototype.npy", prototype.vector, allow_pickle=False)
    router = {"lowest": prototype.lowest, "typical": prototype.typical}
    document = {"calibration": calibration.to_json(), "router": router}
    (folder / "calibration.json").write_text(json.dumps(document, allow_nan=False), encoding="utf-8")


def verify_bundle(folder: Path, expected_sha256: str | None = None) -> str:
    """SHA-256 of the manifest, after every file was held against it.

    Raises:
        BundleError: for a missing, changed or additional file, another format, or a manifest other
            than the one expected.
    """
    return hashlib.sha256(BUNDLES.read(folder, expected_sha256)).hexdigest()


def load_bundle(folder: Path, expected_sha256: str | None = None) -> Bundle:
    """Verify and load a bundle.

    Raises:
        BundleError: when it is not exactly what was written.
    """
    from safetensors.torch import load_file

    text = BUNDLES.read(folder, expected_sha256)
    manifest = json.loads(text)
    document = json.loads((folder / "calibration.json").read_text(encoding="utf-8"))
    tensors = load_file(folder / "reduction.safetensors")
    model = PatchCoreModel(
        recipe=Recipe.model_validate(manifest["recipe"]),
        reduction=Reduction(tensors["mean"], tensors.get("basis")),
        bank=MemoryBank.load(folder),
    )
    return Bundle(
        folder=folder,
        sha256=hashlib.sha256(text).hexdigest(),
        manifest=manifest,
        model=model,
        calibration=Calibration.from_json(document["calibration"]),
        prototype=Prototype(np.load(folder / "prototype.npy", allow_pickle=False), **document["router"]),
    )


def load_prototype(folder: Path, expected_sha256: str | None = None) -> Prototype:
    """What the router knows of a bundle's category: two small files, verified, and none of the others.

    So a bundle whose memory bank is damaged keeps nobody else's images from being routed.

    Raises:
        BundleError: for a changed manifest, and when one of the two files is not what was written.
    """
    vector, text = BUNDLES.read_files(folder, ("prototype.npy", "calibration.json"), expected_sha256)
    return Prototype(np.load(io.BytesIO(vector), allow_pickle=False), **json.loads(text)["router"])


def check_weights(bundle: Bundle, settings: RuntimeSettings) -> None:
    """Refuse a bundle whose features came from other weights than the ones at hand."""
    here = weights_identity(bundle.recipe.weights, settings)
    if bundle.manifest["weights"] != here:
        raise BundleError(
            f"The bundle of {bundle.category} was made with other {bundle.recipe.weights} weights.",
            "Install the weights it was made with, or rebuild the category.",
        )
