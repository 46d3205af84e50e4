"""The REST interface: health, inspect, read, decide, metrics. Same rules and same functions as the pages."""

from __future__ import annotations

import ipaddress
from typing import Any

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import JSONResponse
from nicegui import app
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.datastructures import UploadFile
from starlette.responses import Response

from anomalyos.accounts.tables import Role, Scope
from anomalyos.core.errors import AnomalyOSError, Conflict
from anomalyos.inspection.tables import Verdict
from console.api.v1 import models
from console.api.v1.caller import caller, operator, reader
from console.api.v1.metrics import Metrics, versions
from console.security.sessions import Person
from console.services.blocking import InspectionPool, run_blocking
from console.services.inspection import InspectionService
from console.services.warm_up import WarmUp

_MULTIPART: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "category": {"type": "string", "description": "Routed automatically when left out"},
                    },
                }
            }
        },
    }
}
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    401: {"model": models.Problem},
    403: {"model": models.Problem},
    404: {"model": models.Problem},
}


def register(desk: InspectionService, metrics: Metrics, pool: InspectionPool, warm_up: WarmUp) -> None:
    router = APIRouter(tags=["AnomalyOS"])
    _register_health(router, desk, warm_up)
    _register_inspect(router, desk, metrics, pool)
    _register_inspections(router, desk)
    _register_metrics(router, desk, metrics)
    app.include_router(router)


def _register_health(router: APIRouter, desk: InspectionService, warm_up: WarmUp) -> None:
    @router.get("/health", response_model=models.Health, responses={503: {"model": models.Health}})
    async def health() -> Response:
        """Whether the database answers and the models are loaded. Needs no sign-in."""
        try:
            await run_blocking(desk.store.check)
            await run_blocking(warm_up.refresh)
            database = "ok"
        except AnomalyOSError as error:
            database = error.message
        body = models.Health(
            status="ok" if database == "ok" else "failing",
            database=database,
            models=warm_up.state.split(":")[0],
            categories=warm_up.categories,
            versions=versions(),
        )
        return JSONResponse(body.model_dump(), 200 if database == "ok" else 503)


def _register_inspect(
    router: APIRouter, desk: InspectionService, metrics: Metrics, pool: InspectionPool
) -> None:
    @router.post(
        "/inspect",
        response_model=models.InspectionOut,
        responses={**_PROBLEMS, 413: {"model": models.Problem}, 422: {"model": models.Rejection}},
        openapi_extra=_MULTIPART,
    )
    async def inspect(request: Request, person: Person = Depends(operator(desk))) -> Any:
        """Inspect one image. A token needs the scope `inspect`, a person the role reviewer."""
        # read after the caller is known: FastAPI would take a stranger's body first
        name, data, category = await _upload(request, desk)
        if category and category not in await run_blocking(desk.categories):
            return _problem(404, "unknown_category", f"There is no model for the category {category!r}.")
        row = await pool.run(lambda: desk.inspect(person, data, name=name, category=category))
        assert row.id is not None
        metrics.observe(row.timings_ms)
        if row.verdict == Verdict.REJECTED:
            rejection = models.Rejection(code=row.reject_code, detail=row.reject_reason, inspection_id=row.id)
            return JSONResponse(rejection.model_dump(), 422)
        return await _out(desk, row.id)


async def _upload(request: Request, desk: InspectionService) -> tuple[str, bytes, str | None]:
    async with request.form(max_files=1, max_fields=4) as form:
        file, category = form.get("file"), form.get("category")
        if not isinstance(file, UploadFile):
            raise HTTPException(400, "Send the image as the multipart field 'file'.")
        data = await file.read(desk.settings.max_image_bytes + 1)
        if len(data) > desk.settings.max_image_bytes:
            limit = desk.settings.max_image_bytes / 2**20
            raise HTTPException(413, f"The image is larger than {limit:.0f} MiB.")
        return file.filename or "unnamed", data, category if isinstance(category, str) else None


def _register_inspections(router: APIRouter, desk: InspectionService) -> None:
    reviewer = caller(desk, scope=Scope.INSPECT, role=Role.REVIEWER)

    @router.get(
        "/api/inspections/{inspection_id}",
        response_model=models.InspectionOut,
        responses=_PROBLEMS,
        dependencies=[Depends(reader(desk))],
    )
    async def inspection(inspection_id: int) -> models.InspectionOut:
        """One inspection with its reviews. A token needs the scope `read`."""
        return await _out(desk, inspection_id)

    @router.post(
        "/api/inspections/{inspection_id}/review",
        response_model=models.InspectionOut,
        responses={**_PROBLEMS, 409: {"model": models.ReviewConflict}},
    )
    async def review(inspection_id: int, wish: models.ReviewIn, person: Person = Depends(reviewer)) -> Any:
        """Decide about an inspection; 409 with the current state when somebody was faster."""
        try:
            await run_blocking(
                desk.decide,
                person,
                inspection_id,
                wish.decision,
                expected_version=wish.expected_version,
                defect_type=wish.defect_type,
                note=wish.note,
            )
        except Conflict as error:
            current = await _out(desk, inspection_id)
            body = models.ReviewConflict(
                code="conflict", detail=error.message, hint=error.hint, current=current
            )
            return JSONResponse(body.model_dump(mode="json"), 409)
        return await _out(desk, inspection_id)


def _register_metrics(router: APIRouter, desk: InspectionService, metrics: Metrics) -> None:
    read = reader(desk)

    @router.get("/metrics", response_class=Response, responses={401: {"model": models.Problem}})
    async def prometheus(request: Request) -> Response:
        """Figures for Prometheus. From this machine without a token, else with the scope `read`."""
        if not _is_local(request):
            await read(request)
        return Response(await run_blocking(metrics.render), media_type=CONTENT_TYPE_LATEST)


def _is_local(request: Request) -> bool:
    """Whether a program on this machine asks directly.

    A forwarding proxy on this machine would make the whole world local, so its headers rule that out.
    """
    if request.client is None or any(h in request.headers for h in ("forwarded", "x-forwarded-for")):
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False


async def _out(desk: InspectionService, inspection_id: int) -> models.InspectionOut:
    detail = await run_blocking(desk.detail, inspection_id)
    return models.inspection_out(detail, desk.settings.console_url.rstrip("/"))


def _problem(status: int, code: str, detail: str, hint: str = "") -> JSONResponse:
    return JSONResponse(models.Problem(code=code, detail=detail, hint=hint).model_dump(), status)
