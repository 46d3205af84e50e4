"""Pictures that explain: patches beside normal ones, heat of gradient methods, the part cut out.

Addresses hold numbers only. Which file a number stands for is looked up in what the platform itself kept,
so no address can name a path; and everything is re-encoded from decoded pixels.
"""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray

from anomalyos.cases.crops import crop_box, cut
from anomalyos.core.errors import NotFound
from anomalyos.core.geometry import Box
from anomalyos.explain import repository as explanations
from anomalyos.explain.evidence import TracePair
from anomalyos.explain.tables import Explanation
from anomalyos.explain.trace import with_surroundings
from anomalyos.images.decoding import decode_image, encode_png, thumbnail_jpeg
from anomalyos.inspection import inspections
from anomalyos.reports.pictures import training_pictures
from console.services import views
from console.services.pictures import Encoded, PictureService

OVERLAYS = ("gradcam_pp", "hirescam", "gradcam_pp_class")
PATCH_SIDE = 288
"""Pixels: sharp on a dense screen at the size pages show patches."""
CROP_SIDE = 320


class ExplanationPictures:
    """Blocking, safe to call from threads."""

    def __init__(self, pictures: PictureService) -> None:
        self._pictures = pictures
        self._settings = pictures.settings
        self._store = pictures.store

    def crop(self, inspection_id: int) -> Encoded:
        """JPEG around the strongest region, as similar cases are held against it.

        The whole photograph where no region was found.
        """
        rgb = self._pictures.photo(inspection_id).rgb
        with self._store.session(read_only=True) as session:
            regions = inspections.get(session, inspection_id).regions
        if regions:
            region = Box(**{key: int(regions[0][key]) for key in ("x", "y", "width", "height")})
            rgb = cut(rgb, crop_box(region, rgb.shape[1], rgb.shape[0]))
        return thumbnail_jpeg(rgb, CROP_SIDE), "image/jpeg"

    def overlay(self, inspection_id: int, method: str) -> Encoded:
        """RGBA PNG of a gradient method's heat.

        Raises:
            NotFound: it was not computed, or its file is gone.
        """
        from PIL import Image

        row = self._kept(inspection_id, method) if method in OVERLAYS else None
        if row is None:
            raise NotFound(
                f"Inspection {inspection_id} has no such map yet.", "Have it explained in Forensics."
            )
        with Image.open(io.BytesIO(self._store.objects.read(row.files["overlay_path"]))) as picture:
            return encode_png(np.asarray(picture.convert("RGBA"))), "image/png"

    def own_patch(self, inspection_id: int, pair: int) -> Encoded:
        """PNG of a flagged patch with what is around it, the patch itself outlined."""
        place = self._pair(inspection_id, pair).place
        return outlined(self._pictures.photo(inspection_id).rgb, place.box), "image/png"

    def normal_patch(self, inspection_id: int, pair: int, neighbour: int) -> Encoded:
        """The same of a training image.

        Raises:
            NotFound: no such neighbour, or the image is gone or is not the one the model learned from.
        """
        neighbours = self._pair(inspection_id, pair).neighbours
        if not 0 <= neighbour < len(neighbours):
            raise NotFound(f"Inspection {inspection_id} has no such patch.")
        place = neighbours[neighbour].place
        with self._store.session(read_only=True) as session:
            category = views.detail(session, inspection_id).card.category
        data = training_pictures(self._settings.data_dir / category)(place)
        if data is None:
            raise NotFound("The training image is gone or has changed.", "Import the product's images again.")
        return outlined(decode_image(data, self._settings).rgb, place.box), "image/png"

    def _pair(self, inspection_id: int, pair: int) -> TracePair:
        row = self._kept(inspection_id, "trace")
        pairs = row.content["pairs"] if row is not None else []
        if not 0 <= pair < len(pairs):
            raise NotFound(f"Inspection {inspection_id} has no such patch.", "Have it explained first.")
        return TracePair.model_validate(pairs[pair])

    def _kept(self, inspection_id: int, method: str) -> Explanation | None:
        """The newest kept explanation by one method, None without any."""
        with self._store.session(read_only=True) as session:
            rows = explanations.of_inspection(session, inspection_id)
        return next((row for row in rows if row.method == method), None)


def outlined(rgb: NDArray[np.uint8], box: Box) -> bytes:
    """PNG of ``box`` with its surroundings at ``PATCH_SIDE``, the box drawn in light on dark."""
    from PIL import Image, ImageDraw

    view = with_surroundings(box, (rgb.shape[1], rgb.shape[0]))
    scale = PATCH_SIDE / max(view.width, view.height)
    size = (max(1, round(view.width * scale)), max(1, round(view.height * scale)))
    cut = rgb[view.y : view.y + view.height, view.x : view.x + view.width]
    picture = Image.fromarray(cut).resize(size, Image.Resampling.BICUBIC)
    left, top = (box.x - view.x) * scale, (box.y - view.y) * scale
    frame = (left, top, left + box.width * scale - 1, top + box.height * scale - 1)
    draw = ImageDraw.Draw(picture)
    draw.rectangle(tuple(v + d for v, d in zip(frame, (-2, -2, 2, 2), strict=True)), outline="black", width=5)
    draw.rectangle(frame, outline="white", width=2)
    return encode_png(np.asarray(picture))
