"""What the library is given to look at: a folder, files, or arrays."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anomalyos.core.errors import AnomalyOSError, NotFound
from anomalyos.core.runtime import Runtime
from anomalyos.images.arrays import rgb_of
from anomalyos.images.decoding import read_image
from anomalyos.images.files import IMAGE_SUFFIXES, list_images
from anomalyos.images.rejection import ImageRejected

StrPath = str | os.PathLike[str]
Picture = StrPath | NDArray[Any]
"""A file, or an array: grey (H, W) or RGB (H, W, 3), uint8."""
Normals = StrPath | Iterable[Picture]
"""A folder of images, or pictures one by one."""


def list_pictures(normals: Normals) -> tuple[str, list[Picture]]:
    """What to call the pictures, and each of them."""
    if not isinstance(normals, str | os.PathLike):
        return "The list", list(normals)
    folder = Path(normals)
    if not folder.is_dir():
        raise NotFound(f"There is no folder {folder}.", "Give a folder, a list of paths, or arrays.")
    paths = list_images(folder)
    if not paths:
        kinds = ", ".join(IMAGE_SUFFIXES)
        raise AnomalyOSError(f"{folder} holds no images.", f"Images ({kinds}) lie directly in the folder.")
    return str(folder), list(paths)


def read_pictures(
    pictures: Sequence[Picture], runtime: Runtime, images: list[dict[str, str]]
) -> Iterator[NDArray[np.uint8]]:
    """Each picture as RGB, its name and content put down in ``images``.

    Raises:
        ImageRejected: naming the picture that cannot be read.
    """
    for number, picture in enumerate(pictures, start=1):
        own = f"array {number}" if isinstance(picture, np.ndarray) else Path(picture).name
        try:
            rgb, sha256 = read_picture(picture, runtime)
        except ImageRejected as error:
            hint = error.hint or "Leave it out, or send it again from its source."
            raise ImageRejected(error.code, f"{own}: {error.message}", hint) from error
        images.append({"path": own, "sha256": sha256})
        yield rgb


def read_picture(picture: Picture, runtime: Runtime) -> tuple[NDArray[np.uint8], str]:
    """(H, W, 3) uint8, and the SHA-256 of the file or of the array."""
    if isinstance(picture, str | os.PathLike):
        image = read_image(Path(picture), runtime)
        return image.rgb, image.sha256
    if not isinstance(picture, np.ndarray):
        raise ImageRejected(
            "unsupported", "This is no picture.", f"Give a path or an array, no {type(picture)}."
        )
    rgb = rgb_of(picture, runtime)
    return rgb, hashlib.sha256(rgb.tobytes()).hexdigest()
