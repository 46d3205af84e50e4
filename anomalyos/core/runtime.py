"""What images, features and patchcore are told: where to compute, and what to accept.

They read no settings, no environment and no file for it, so they work without the platform.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

Device = Literal["auto", "cpu", "cuda"]
Embedder = Literal["lite", "open_clip"]
Engine = Literal["auto", "torch", "openvino", "onnxruntime"]

MAX_IMAGE_BYTES = 32 * 2**20
MAX_IMAGE_PIXELS = 64_000_000


class RuntimeSettings(Protocol):
    """What the library asks of whoever calls it; the platform's ``Settings`` has all of it."""

    @property
    def device(self) -> Device: ...

    @property
    def threads(self) -> int | None:
        """CPU threads of torch in this process; None leaves them as they are."""

    @property
    def runtime(self) -> Engine:
        """What computes features: ``auto`` is OpenVINO on a CPU and torch elsewhere."""

    @property
    def compiled_dir(self) -> Path | None:
        """Where converted networks are kept; None keeps them in memory alone."""

    @property
    def weights_dir(self) -> Path | None:
        """Folder with weight files that no package ships."""

    @property
    def allow_hub(self) -> bool:
        """Whether missing weights may be fetched from a model hub."""

    @property
    def max_image_bytes(self) -> int: ...

    @property
    def max_image_pixels(self) -> int: ...

    @property
    def embedder(self) -> Embedder: ...

    @property
    def depth_model(self) -> str: ...


@dataclass(frozen=True)
class Runtime:
    """The same as values: for the library, and as a key of what is loaded once per choice."""

    device: Device = "auto"
    threads: int | None = None
    weights_dir: Path | None = None
    allow_hub: bool = False
    max_image_bytes: int = MAX_IMAGE_BYTES
    max_image_pixels: int = MAX_IMAGE_PIXELS
    embedder: Embedder = "lite"
    depth_model: str = "shape_from_shading"
    runtime: Engine = "auto"
    compiled_dir: Path | None = None
