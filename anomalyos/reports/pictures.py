"""Pictures of a report: read from the object store, laid over each other, made small enough to send."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.geometry import Box
from anomalyos.db.objects import ObjectStore
from anomalyos.explain.evidence import Evidence, PatchLocation

if TYPE_CHECKING:
    from PIL.Image import Image

LONGEST_SIDE = 900
"""Pixels: sharp on a screen and on half a printed page."""
CROP_SIDE = 320
MARGIN = 0.75
"""Of a patch's size, shown around it: a patch alone is too small to recognise."""
OVERLAYS = {
    "anomaly_map": "Anomaly map",
    "gradcam_pp": "Grad-CAM++",
    "hirescam": "HiResCAM",
}

TrainingPictures = Callable[[PatchLocation], bytes | None]
"""The file of a training image, None when it is not at hand."""


def training_pictures(root: Path) -> TrainingPictures:
    """Finds training images in the category's folder ``root``.

    Only the very file the model learned from counts: one that has changed since is as good as gone, for
    it would show as normal what the model never saw.
    """

    def find(place: PatchLocation) -> bytes | None:
        folder = root.resolve()
        try:
            path = (folder / place.image).resolve()
            data = path.read_bytes() if path.is_relative_to(folder) else b""
        except (OSError, ValueError):
            return None
        return data if hashlib.sha256(data).hexdigest() == place.image_sha256 else None

    return find


@dataclass(frozen=True)
class Picture:
    """A JPEG with what it shows."""

    caption: str
    data: bytes
    width: int
    height: int

    @property
    def uri(self) -> str:
        return f"data:image/jpeg;base64,{base64.b64encode(self.data).decode('ascii')}"


class PictureLoader:
    """Reads pictures; one that is missing or damaged is noted in ``missing`` and not fatal."""

    def __init__(self, evidence: Evidence, objects: ObjectStore) -> None:
        self._evidence = evidence
        self._objects = objects
        self.missing: list[str] = []
        self._photo = self._open(evidence.pictures.get("photo", ""), "the photograph")

    def main(self) -> list[Picture]:
        """The photograph, then the photograph under each map that is at hand."""
        if self._photo is None:
            return []
        pictures = [encode(self._photo, "Photograph", LONGEST_SIDE)]
        for name, caption in OVERLAYS.items():
            path = self._evidence.pictures.get(name)
            overlay = self._open(path, f"the picture “{caption}”") if path else None
            if overlay is not None:
                pictures.append(encode(lay_over(self._photo, overlay), caption, LONGEST_SIDE))
        return pictures

    def crop(self) -> Picture | None:
        """The strongest region, as similar cases are compared with it."""
        path = self._evidence.pictures.get("crop")
        image = self._open(path, "the cut-out region") if path else None
        return encode(image, "This part", CROP_SIDE) if image is not None else None

    def case(self, crop_path: str, case_id: int) -> Picture | None:
        image = self._open(crop_path, f"the picture of case {case_id}")
        return encode(image, f"Case {case_id}", CROP_SIDE) if image is not None else None

    def patch(self, box: Box, caption: str) -> Picture | None:
        """A patch of the inspected photograph with what is around it."""
        return encode(around(self._photo, box), caption, CROP_SIDE) if self._photo is not None else None

    def training_patch(self, place: PatchLocation, find: TrainingPictures | None) -> Picture | None:
        data = find(place) if find is not None else None
        image = decode(data) if data is not None else None
        return encode(around(image, place.box), "Normal", CROP_SIDE) if image is not None else None

    def _open(self, path: str, what: str) -> Image | None:
        try:
            image = decode(self._objects.read(path)) if path else None
        except AnomalyOSError:
            image = None
        if image is None:
            self.missing.append(what)
        return image


def decode(data: bytes) -> Image | None:
    """An upright picture with its transparency, None when ``data`` is none."""
    from PIL import Image as Pillow
    from PIL import ImageOps

    try:
        image = ImageOps.exif_transpose(Pillow.open(io.BytesIO(data)))
        return image.convert("RGBA")
    except (OSError, ValueError, Pillow.DecompressionBombError):
        return None


def lay_over(photo: Image, overlay: Image) -> Image:
    """``overlay`` in the photograph's size on top of it; one without transparency at half strength."""
    from PIL import Image as Pillow

    size = shrunk(photo.size, LONGEST_SIDE)
    below, above = photo.resize(size), overlay.resize(size)
    if above.getchannel("A").getextrema() == (255, 255):
        above.putalpha(128)
    return Pillow.alpha_composite(below, above)


def around(image: Image, box: Box) -> Image:
    """``box`` of ``image`` and a margin, kept inside the picture and never empty."""
    extra_x, extra_y = round(box.width * MARGIN), round(box.height * MARGIN)
    left = min(max(0, box.x - extra_x), image.width - 1)
    top = min(max(0, box.y - extra_y), image.height - 1)
    right = max(left + 1, min(image.width, box.x + box.width + extra_x))
    bottom = max(top + 1, min(image.height, box.y + box.height + extra_y))
    return image.crop((left, top, right, bottom))


def shrunk(size: tuple[int, int], longest: int) -> tuple[int, int]:
    scale = min(1.0, longest / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def encode(image: Image, caption: str, longest: int) -> Picture:
    """``image`` as a JPEG of at most ``longest`` pixels a side, on white where it is transparent."""
    from PIL import Image as Pillow

    small = image.resize(shrunk(image.size, longest))
    flat = Pillow.new("RGB", small.size, "white")
    flat.paste(small, mask=small.getchannel("A"))
    buffer = io.BytesIO()
    flat.save(buffer, "JPEG", quality=88)
    return Picture(caption, buffer.getvalue(), *flat.size)
