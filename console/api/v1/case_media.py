"""Pictures of known defects, re-encoded from decoded pixels: stored bytes are never served."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Depends, Request
from nicegui import app
from starlette.responses import Response

from anomalyos.cases import repository as cases
from anomalyos.core.errors import AnomalyOSError, NotFound
from anomalyos.images.decoding import DecodedImage, decode_image, encode_png, thumbnail_jpeg
from console.api.v1.caller import reader
from console.api.v1.media import answer
from console.services.inspection import InspectionService

_THUMB_SIDE = 256
_LOSSLESS_PIXELS = 1_000_000

Part = Literal["crop", "photo"]


def register(desk: InspectionService) -> None:
    """Routes ``/media/case/{id}/crop``, ``/photo`` and ``/thumb``; 404 when a picture is gone or damaged.

    They may be kept for ever: another box or another photograph is another case.
    """
    router = APIRouter(prefix="/media/case", include_in_schema=False, dependencies=[Depends(reader(desk))])

    @router.get("/{case_id}/crop")
    async def crop(request: Request, case_id: int) -> Response:
        return await answer(request, f"case-crop-{case_id}", lambda: _whole(decoded(desk, case_id, "crop")))

    @router.get("/{case_id}/photo")
    async def photo(request: Request, case_id: int) -> Response:
        return await answer(request, f"case-photo-{case_id}", lambda: _whole(decoded(desk, case_id, "photo")))

    @router.get("/{case_id}/thumb")
    async def thumb(request: Request, case_id: int) -> Response:
        return await answer(request, f"case-thumb-{case_id}", lambda: _thumb(decoded(desk, case_id, "crop")))

    app.include_router(router)


def decoded(desk: InspectionService, case_id: int, part: Part) -> DecodedImage:
    """The crop or the photograph of a case, through the one safe decoder.

    Raises:
        NotFound: no such case, or its file is missing, damaged or no image.
    """
    with desk.store.session(read_only=True) as session:
        case = cases.get(session, case_id)
    path = case.crop_path if part == "crop" else case.image_path
    try:
        return decode_image(desk.store.objects.read(path), desk.settings)
    except AnomalyOSError as error:
        raise NotFound(
            f"The {part} of case {case_id} cannot be shown: {error.message}", "Restore it from a backup."
        ) from error


def photo_size(desk: InspectionService, case_id: int) -> tuple[int, int] | None:
    """Width and height of a case's photograph in pixels, None when it cannot be shown."""
    try:
        image = decoded(desk, case_id, "photo")
    except NotFound:
        return None
    return image.width, image.height


def _whole(image: DecodedImage) -> tuple[bytes, str]:
    if image.width * image.height <= _LOSSLESS_PIXELS:
        return encode_png(image.rgb), "image/png"
    return thumbnail_jpeg(image.rgb, max(image.width, image.height)), "image/jpeg"


def _thumb(image: DecodedImage) -> tuple[bytes, str]:
    return thumbnail_jpeg(image.rgb, _THUMB_SIDE), "image/jpeg"
