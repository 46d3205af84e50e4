"""Pictures of the Arena, by random tokens: the photograph once it is on show, the answers once it is over.

What a player may not see yet is answered exactly like what does not exist.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from fastapi import APIRouter, HTTPException, Request
from nicegui import app
from numpy.typing import NDArray
from starlette.responses import Response

from anomalyos.arena.tables import ArenaMaterial
from anomalyos.arena.truth import outline
from anomalyos.core.errors import NotFound
from anomalyos.images.decoding import decode_image, encode_png, thumbnail_jpeg
from anomalyos.inspection.anomaly_map import render_heatmap
from anomalyos.inspection.tables import Inspection
from console.security.sessions import Person, session_person
from console.services.arena import ArenaService
from console.services.blocking import run_blocking

_CACHE = "private, max-age=86400, immutable"
_LONG_SIDE = 1600
_THUMB_SIDE = 192
_LOSSLESS_PIXELS = 1_000_000
"""Up to here PNG is small enough, and faint defects keep every pixel."""

Find = Callable[[Person, str], ArenaMaterial]
Render = Callable[[ArenaMaterial], tuple[bytes, str]]
"""Bytes and their media type."""


def register(referee: ArenaService) -> None:
    router = APIRouter(prefix="/arena", include_in_schema=False)

    @router.get("/picture/{token}")
    async def picture(request: Request, token: str) -> Response:
        return await _answer(request, referee, token, referee.shown, photo(referee))

    @router.get("/thumb/{token}")
    async def thumb(request: Request, token: str) -> Response:
        return await _answer(request, referee, token, referee.shown, thumb_of(referee))

    @router.get("/heat/{token}")
    async def heat(request: Request, token: str) -> Response:
        return await _answer(request, referee, token, referee.revealed, heat_of(referee))

    @router.get("/truth/{token}")
    async def truth(request: Request, token: str) -> Response:
        return await _answer(request, referee, token, referee.revealed, truth_of(referee))

    app.include_router(router)


def photo(referee: ArenaService) -> Render:
    """Encoded anew from its pixels: neither name nor metadata tells where it came from."""

    def render(material: ArenaMaterial) -> tuple[bytes, str]:
        rgb = _pixels(referee, material)
        if rgb.shape[0] * rgb.shape[1] <= _LOSSLESS_PIXELS:
            return encode_png(rgb), "image/png"
        return thumbnail_jpeg(rgb, _LONG_SIDE), "image/jpeg"

    return render


def thumb_of(referee: ArenaService) -> Render:
    def render(material: ArenaMaterial) -> tuple[bytes, str]:
        return thumbnail_jpeg(_pixels(referee, material), _THUMB_SIDE), "image/jpeg"

    return render


def _pixels(referee: ArenaService, material: ArenaMaterial) -> NDArray[np.uint8]:
    """(H, W, 3) of the stored photograph."""
    data = referee.desk.store.objects.read(material.object_path)
    return decode_image(data, referee.desk.settings).rgb


def heat_of(referee: ArenaService) -> Render:
    def render(material: ArenaMaterial) -> tuple[bytes, str]:
        kept = Inspection(
            work_key="",
            batch_id=0,
            source="",
            content_sha256=material.content_sha256,
            verdict="",
            map_path=material.map_path,
            map_facts=material.map_facts,
        )
        return render_heatmap(referee.desk.store, kept), "image/png"

    return render


def truth_of(referee: ArenaService) -> Render:
    def render(material: ArenaMaterial) -> tuple[bytes, str]:
        return encode_png(outline(referee.truth_mask(material))), "image/png"

    return render


async def _answer(
    request: Request, referee: ArenaService, token: str, find: Find, render: Render
) -> Response:
    person = await session_person(request, referee.desk)
    if person is None:
        raise HTTPException(401, "Sign in first.")
    try:
        material = await run_blocking(find, person, token)
        body, media_type = await run_blocking(render, material)
    except NotFound:
        raise HTTPException(404, "There is no such picture.", headers={"Cache-Control": "no-store"}) from None
    return Response(body, media_type=media_type, headers={"Cache-Control": _CACHE})
