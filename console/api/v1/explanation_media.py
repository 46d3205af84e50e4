"""Pictures that explain: patches beside normal ones, heat of gradient methods, the part cut out.

Addresses hold numbers only. Which file a number stands for is looked up in what the platform itself kept,
so no address can name a path; and everything is re-encoded from decoded pixels.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from fastapi import APIRouter, Depends, Request
from nicegui import app
from starlette.responses import Response

from anomalyos.core.errors import NotFound
from anomalyos.core.geometry import Box
from anomalyos.explain import repository as explanations
from anomalyos.explain.evidence import TracePair
from anomalyos.explain.tables import Explanation
from anomalyos.explain.trace import with_surroundings
from anomalyos.images.decoding import decode_image, encode_png, thumbnail_jpeg
from anomalyos.inspection import inspections
from anomalyos.reports.pictures import training_pictures
from console.api.v1.caller import reader
from console.api.v1.media import answer
from console.services.inspection import InspectionService

if TYPE_CHECKING:
    from numpy.typing import NDArray

OVERLAYS = ("gradcam_pp", "hirescam", "gradcam_pp_class")
PATCH_SIDE = 288
"""Pixels: sharp on a dense screen at the size pages show patches."""
CROP_SIDE = 320


def register(desk: InspectionService) -> None:
    router = APIRouter(prefix="/media", include_in_schema=False, dependencies=[Depends(reader(desk))])

    @router.get("/crop/{inspection_id}")
    async def crop(request: Request, inspection_id: int) -> Response:
        """The strongest region as similar cases are held against it."""
        tag = f"crop-{inspection_id}"
        return await answer(request, tag, lambda: (own_crop(desk, inspection_id), "image/jpeg"))

    @router.get("/overlay/{inspection_id}/{method}")
    async def overlay(request: Request, inspection_id: int, method: str, v: str = "") -> Response:
        """``v`` only tells a browser's cache one computation from another, here and below."""
        tag = f"overlay-{inspection_id}-{method[:16]}-{v[:16]}"
        return await answer(request, tag, lambda: (overlay_png(desk, inspection_id, method), "image/png"))

    @router.get("/trace/{inspection_id}/{pair}/own")
    async def own(request: Request, inspection_id: int, pair: int, v: str = "") -> Response:
        tag = f"own-{inspection_id}-{pair}-{v[:16]}"
        return await answer(request, tag, lambda: (own_patch(desk, inspection_id, pair), "image/png"))

    @router.get("/trace/{inspection_id}/{pair}/{neighbour}")
    async def normal(
        request: Request, inspection_id: int, pair: int, neighbour: int, v: str = ""
    ) -> Response:
        tag = f"normal-{inspection_id}-{pair}-{neighbour}-{v[:16]}"
        return await answer(
            request, tag, lambda: (normal_patch(desk, inspection_id, pair, neighbour), "image/png")
        )

    app.include_router(router)


def own_crop(desk: InspectionService, inspection_id: int) -> bytes:
    """JPEG around the strongest region; the whole photograph where no region was found."""
    from anomalyos.cases.crops import crop_box, cut

    rgb = desk.photo(inspection_id).rgb
    with desk.store.session(read_only=True) as session:
        regions = inspections.get(session, inspection_id).regions
    if regions:
        region = Box(**{key: int(regions[0][key]) for key in ("x", "y", "width", "height")})
        rgb = cut(rgb, crop_box(region, rgb.shape[1], rgb.shape[0]))
    return thumbnail_jpeg(rgb, CROP_SIDE)


def overlay_png(desk: InspectionService, inspection_id: int, method: str) -> bytes:
    """RGBA PNG of a gradient method's heat.

    Raises:
        NotFound: it was not computed, or its file is gone.
    """
    from PIL import Image

    row = _kept(desk, inspection_id, method) if method in OVERLAYS else None
    if row is None:
        raise NotFound(f"Inspection {inspection_id} has no such map yet.", "Have it explained in Forensics.")
    with Image.open(io.BytesIO(desk.store.objects.read(row.files["overlay_path"]))) as picture:
        return encode_png(np.asarray(picture.convert("RGBA")))


def own_patch(desk: InspectionService, inspection_id: int, pair: int) -> bytes:
    """PNG of a flagged patch with what is around it, the patch itself outlined."""
    place = _pair(desk, inspection_id, pair).place
    return outlined(desk.photo(inspection_id).rgb, place.box)


def normal_patch(desk: InspectionService, inspection_id: int, pair: int, neighbour: int) -> bytes:
    """The same of a training image.

    Raises:
        NotFound: no such neighbour, or the image is gone or is not the one the model learned from.
    """

    neighbours = _pair(desk, inspection_id, pair).neighbours
    if not 0 <= neighbour < len(neighbours):
        raise NotFound(f"Inspection {inspection_id} has no such patch.")
    place = neighbours[neighbour].place
    data = training_pictures(desk.settings.data_dir / _category(desk, inspection_id))(place)
    if data is None:
        raise NotFound("The training image is gone or has changed.", "Import the product's images again.")
    return outlined(decode_image(data, desk.settings).rgb, place.box)


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


def _pair(desk: InspectionService, inspection_id: int, pair: int) -> TracePair:
    row = _kept(desk, inspection_id, "trace")
    pairs = row.content["pairs"] if row is not None else []
    if not 0 <= pair < len(pairs):
        raise NotFound(f"Inspection {inspection_id} has no such patch.", "Have it explained first.")
    return TracePair.model_validate(pairs[pair])


def _kept(desk: InspectionService, inspection_id: int, method: str) -> Explanation | None:
    """The newest kept explanation by one method, None without any."""
    with desk.store.session(read_only=True) as session:
        rows = explanations.of_inspection(session, inspection_id)
    return next((row for row in rows if row.method == method), None)


def _category(desk: InspectionService, inspection_id: int) -> str:
    return desk.detail(inspection_id).card.category
