"""How errors leave the console: JSON for programs, a page with the next step for people."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from nicegui import Client, app
from nicegui.page import page
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.responses import Response

from anomalyos.core.errors import AnomalyOSError, Conflict, NotAllowed, NotFound
from anomalyos.core.forms import REFUSED
from anomalyos.ops.airflow import AirflowUnreachable

_STATUS: tuple[tuple[type[AnomalyOSError], int, str], ...] = (
    (NotFound, 404, "not_found"),
    (Conflict, 409, "conflict"),
    (NotAllowed, 403, "not_allowed"),
    (AirflowUnreachable, 503, "airflow_unreachable"),
    (AnomalyOSError, 400, "refused"),
)
_CODES = {400: "bad_request", 401: "unauthenticated", 403: "not_allowed", 404: "not_found", 413: "too_large"}


def status_of(error: AnomalyOSError) -> tuple[int, str]:
    """HTTP status and stable code for one of the platform's own errors."""
    return next((status, code) for kind, status, code in _STATUS if isinstance(error, kind))


def register(draw: Callable[[Request], Awaitable[None]]) -> None:
    """Install the handlers; ``draw`` draws the page for an unknown address."""

    async def platform_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, AnomalyOSError)
        status, code = status_of(error)
        return JSONResponse({"code": code, "detail": error.message, "hint": error.hint}, status)

    async def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, StarletteHTTPException)
        if error.status_code == 404 and _wants_page(request):
            return await error_page(request, 404)
        body = {"code": _CODES.get(error.status_code, "error"), "detail": str(error.detail), "hint": ""}
        return JSONResponse(body, error.status_code, headers=dict(error.headers or {}))

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        if _wants_page(request):
            return await error_page(request, 404)
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part != "body")
        detail = first["msg"] if first["type"] == REFUSED else f"{where}: {first['msg']}"
        return JSONResponse({"code": "invalid", "detail": detail, "hint": "See /docs for the fields."}, 422)

    async def error_page(request: Request, status: int) -> Response:
        with Client(page(""), request=request) as client:
            await draw(request)
        return client.build_response(request, status)

    app.add_exception_handler(AnomalyOSError, platform_error)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(StarletteHTTPException, http_error)
    app.add_exception_handler(404, http_error)
    app.add_exception_handler(RequestValidationError, invalid)


def _wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "") and request.method == "GET"
