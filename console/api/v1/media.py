"""Pictures of inspections. Always re-encoded from decoded pixels: uploaded bytes are never served."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from fastapi import APIRouter, Depends, Request
from nicegui import app
from starlette.responses import Response

from anomalyos.images.decoding import encode_png, thumbnail_jpeg
from console.api.v1.caller import reader
from console.services.blocking import run_blocking
from console.services.inspection import InspectionService

_CACHE = "private, max-age=31536000, immutable"
"""An inspection's pictures never change; private, because only signed-in people may see them."""
_THUMB_SIDE = 192
_THUMBS_KEPT = 2_000
"""Some 8 kB each: the reviewers of a night look at the same ones."""
_LOSSLESS_PIXELS = 1_000_000
"""Up to here PNG is small enough; larger photos are sent as JPEG."""


def register(desk: InspectionService) -> None:
    router = APIRouter(prefix="/media", include_in_schema=False, dependencies=[Depends(reader(desk))])

    @lru_cache(maxsize=_THUMBS_KEPT)
    def small(object_path: str) -> bytes:
        return thumbnail_jpeg(desk.decoded(object_path).rgb, _THUMB_SIDE)

    @router.get("/image/{inspection_id}")
    async def image(request: Request, inspection_id: int) -> Response:
        return await answer(request, f"image-{inspection_id}", lambda: _image(desk, inspection_id))

    @router.get("/thumb/{inspection_id}")
    async def thumb(request: Request, inspection_id: int) -> Response:
        return await answer(
            request, f"thumb-{inspection_id}", lambda: (small(desk.photo_path(inspection_id)), "image/jpeg")
        )

    @router.get("/heatmap/{inspection_id}")
    async def heatmap(request: Request, inspection_id: int) -> Response:
        return await answer(
            request, f"heat-{inspection_id}", lambda: (desk.heatmap_png(inspection_id), "image/png")
        )

    app.include_router(router)


def _image(desk: InspectionService, inspection_id: int) -> tuple[bytes, str]:
    photo = desk.photo(inspection_id)
    if photo.width * photo.height <= _LOSSLESS_PIXELS:
        return encode_png(photo.rgb, effort=1), "image/png"
    return thumbnail_jpeg(photo.rgb, max(photo.width, photo.height)), "image/jpeg"


async def answer(request: Request, tag: str, make: Callable[[], tuple[bytes, str]]) -> Response:
    etag = f'"{tag}"'
    headers = {"Cache-Control": _CACHE, "ETag": etag}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    body, media_type = await run_blocking(make)
    return Response(body, media_type=media_type, headers=headers)
