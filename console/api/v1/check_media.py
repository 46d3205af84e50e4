"""Pages and pictures of data checks, for people who are signed in and for tokens that may read."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Depends, HTTPException
from nicegui import app
from starlette.responses import Response

from anomalyos.core.errors import NotFound
from console.api.v1.caller import reader
from console.services.blocking import run_blocking
from console.services.checks import CheckService
from console.services.inspection import InspectionService

PAGE_HEADERS = {
    "Cache-Control": "private, no-store",
    # a page of its own without any right: it runs nothing, asks nobody and is of no origin
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
}


def register(desk: InspectionService, checks: CheckService) -> None:
    router = APIRouter(include_in_schema=False, dependencies=[Depends(reader(desk))])

    @router.get("/export/check/{check_id:int}.html")
    async def page(check_id: int) -> Response:
        return Response(await _found(checks.page, check_id), media_type="text/html", headers=PAGE_HEADERS)

    @router.get("/media/quarantine/{image_id}")
    async def picture(image_id: int) -> Response:
        headers = {"Cache-Control": "private, no-cache"}
        return Response(await _found(checks.picture, image_id), media_type="image/jpeg", headers=headers)

    app.include_router(router)


async def _found(read: Callable[[int], bytes], number: int) -> bytes:
    if not 0 < number < 2**31:
        raise HTTPException(404, "There is nothing here.")
    try:
        return await run_blocking(read, number)
    except NotFound as error:
        raise HTTPException(404, str(error)) from error
