"""Pictures of inspections and of known defects, always re-encoded from decoded pixels.

Stored bytes are never handed out. Everything blocks, is safe to call from threads, and gives the bytes
with their media type.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Literal

from anomalyos.cases import repository as case_repository
from anomalyos.core.errors import AnomalyOSError, NotFound
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.images.decoding import DecodedImage, decode_image, encode_png, thumbnail_jpeg
from anomalyos.inspection import inspections
from anomalyos.inspection.tables import Image, Inspection

Encoded = tuple[bytes, str]
"""Bytes and their media type."""

_THUMB_SIDE = 192
_CASE_THUMB_SIDE = 256
_THUMBS_KEPT = 2_000
"""Some 8 kB each: the reviewers of a night look at the same ones."""
_LOSSLESS_PIXELS = 1_000_000
"""Up to here PNG is small enough, and faint defects keep every pixel; larger photos are sent as JPEG."""


class PictureService:
    """Photographs, thumbnails and heat maps over one store."""

    def __init__(
        self, settings: Settings, store: Store, heatmap: Callable[[Store, Inspection], bytes]
    ) -> None:
        self.settings = settings
        self.store = store
        self._heatmap = heatmap
        self._small = lru_cache(maxsize=_THUMBS_KEPT)(self._make_small)

    # of inspections --------------------------------------------------------------------------

    def photo(self, inspection_id: int) -> DecodedImage:
        """The stored image, decoded through the one safe decoder.

        Raises:
            NotFound: the inspection has no image (it was rejected) or does not exist.
        """
        return self._decoded(self._photo_path(inspection_id))

    def image(self, inspection_id: int) -> Encoded:
        """The whole photograph; raises as ``photo``."""
        return whole(self.photo(inspection_id), effort=1)

    def thumb(self, inspection_id: int) -> Encoded:
        """A small JPEG, kept by the content of its photograph; raises as ``photo``."""
        return self._small(self._photo_path(inspection_id)), "image/jpeg"

    def heatmap(self, inspection_id: int) -> Encoded:
        """RGBA PNG of the anomaly map, the size of the oriented photo."""
        with self.store.session(read_only=True) as session:
            row = inspections.get(session, inspection_id)
        if not row.map_path:
            raise NotFound(f"Inspection {inspection_id} has no heat map.")
        return self._heatmap(self.store, row), "image/png"

    def _photo_path(self, inspection_id: int) -> str:
        with self.store.session(read_only=True) as session:
            row = inspections.get(session, inspection_id)
            image = session.get(Image, row.image_id) if row.image_id is not None else None
        if image is None:
            raise NotFound(f"Inspection {inspection_id} has no image that can be shown.")
        return image.object_path

    def _make_small(self, object_path: str) -> bytes:
        return thumbnail_jpeg(self._decoded(object_path).rgb, _THUMB_SIDE)

    def _decoded(self, object_path: str) -> DecodedImage:
        return decode_image(self.store.objects.read(object_path), self.settings)

    # of known defects ------------------------------------------------------------------------

    def case_crop(self, case_id: int) -> Encoded:
        return whole(self._case(case_id, "crop"))

    def case_photo(self, case_id: int) -> Encoded:
        return whole(self._case(case_id, "photo"))

    def case_thumb(self, case_id: int) -> Encoded:
        return thumbnail_jpeg(self._case(case_id, "crop").rgb, _CASE_THUMB_SIDE), "image/jpeg"

    def case_photo_size(self, case_id: int) -> tuple[int, int] | None:
        """Width and height of a case's photograph in pixels, None when it cannot be shown."""
        try:
            image = self._case(case_id, "photo")
        except NotFound:
            return None
        return image.width, image.height

    def _case(self, case_id: int, part: Literal["crop", "photo"]) -> DecodedImage:
        """The crop or the photograph of a case, through the one safe decoder.

        Raises:
            NotFound: no such case, or its file is missing, damaged or no image.
        """
        with self.store.session(read_only=True) as session:
            case = case_repository.get(session, case_id)
        path = case.crop_path if part == "crop" else case.image_path
        try:
            return self._decoded(path)
        except AnomalyOSError as error:
            raise NotFound(
                f"The {part} of case {case_id} cannot be shown: {error.message}", "Restore it from a backup."
            ) from error


def whole(image: DecodedImage, *, most: int | None = None, effort: int = 6) -> Encoded:
    """All of a photograph: PNG while that is small enough, else JPEG of at most ``most`` pixels a side."""
    if image.width * image.height <= _LOSSLESS_PIXELS:
        return encode_png(image.rgb, effort=effort), "image/png"
    return thumbnail_jpeg(image.rgb, most or max(image.width, image.height)), "image/jpeg"
