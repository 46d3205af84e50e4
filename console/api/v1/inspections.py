"""The REST interface: health, inspect, read, decide, metrics. Same rules and same functions as the pages."""

from __future__ import annotations

from typing import Any

from fastapi import HTTPException, Request
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.datastructures import UploadFile
from starlette.responses import Response

from anomalyos.core.errors import AnomalyOSError, Conflict
from anomalyos.inspection.tables import Verdict
from console.api.v1 import models
from console.api.v1.caller import Caller
from console.container import Services
from console.services.blocking import run_blocking
from console.services.metrics import versions

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
HEALTH: dict[str, Any] = {"response_model": models.Health, "responses": {503: {"model": models.Health}}}
INSPECT: dict[str, Any] = {
    "response_model": models.InspectionOut,
    "responses": {**_PROBLEMS, 413: {"model": models.Problem}, 422: {"model": models.Rejection}},
    "openapi_extra": _MULTIPART,
}
INSPECTION: dict[str, Any] = {"response_model": models.InspectionOut, "responses": _PROBLEMS}
REVIEW: dict[str, Any] = {
    "response_model": models.InspectionOut,
    "responses": {**_PROBLEMS, 409: {"model": models.ReviewConflict}},
}
METRICS: dict[str, Any] = {"response_class": Response, "responses": {401: {"model": models.Problem}}}


async def health(services: Services) -> Response:
    """Whether the database answers and the models are loaded. Needs no sign-in."""
    warm_up = services.warm_up
    try:
        await run_blocking(services.store.check)
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


async def inspect(services: Services, request: Request, person: Caller) -> Any:
    """Inspect one image. A token needs the scope `inspect`, a person the role reviewer."""
    # read after the caller is known: FastAPI would take a stranger's body first
    name, data, category = await _upload(request, services.settings.max_image_bytes)
    if category and category not in await run_blocking(services.inspections.categories):
        return _problem(404, "unknown_category", f"There is no model for the category {category!r}.")
    row = await services.pool.run(
        lambda: services.inspections.inspect(person, data, name=name, category=category)
    )
    assert row.id is not None
    services.metrics.observe(row.timings_ms)
    if row.verdict == Verdict.REJECTED:
        rejection = models.Rejection(code=row.reject_code, detail=row.reject_reason, inspection_id=row.id)
        return JSONResponse(rejection.model_dump(), 422)
    return await _out(services, row.id)


async def _upload(request: Request, most: int) -> tuple[str, bytes, str | None]:
    async with request.form(max_files=1, max_fields=4) as form:
        file, category = form.get("file"), form.get("category")
        if not isinstance(file, UploadFile):
            raise HTTPException(400, "Send the image as the multipart field 'file'.")
        data = await file.read(most + 1)
        if len(data) > most:
            raise HTTPException(413, f"The image is larger than {most / 2**20:.0f} MiB.")
        return file.filename or "unnamed", data, category if isinstance(category, str) else None


async def inspection(services: Services, inspection_id: int) -> models.InspectionOut:
    """One inspection with its reviews. A token needs the scope `read`."""
    return await _out(services, inspection_id)


async def review(services: Services, inspection_id: int, wish: models.ReviewIn, person: Caller) -> Any:
    """Decide about an inspection; 409 with the current state when somebody was faster."""
    try:
        await run_blocking(
            services.inspections.decide,
            person,
            inspection_id,
            wish.decision,
            expected_version=wish.expected_version,
            defect_type=wish.defect_type,
            note=wish.note,
        )
    except Conflict as error:
        current = await _out(services, inspection_id)
        body = models.ReviewConflict(code="conflict", detail=error.message, hint=error.hint, current=current)
        return JSONResponse(body.model_dump(mode="json"), 409)
    return await _out(services, inspection_id)


async def prometheus(services: Services) -> Response:
    """Figures for Prometheus. From this machine without a token, else with the scope `read`."""
    return Response(await run_blocking(services.metrics.render), media_type=CONTENT_TYPE_LATEST)


async def _out(services: Services, inspection_id: int) -> models.InspectionOut:
    detail = await run_blocking(services.inspections.detail, inspection_id)
    return models.inspection_out(detail, services.settings.console_url.rstrip("/"))


def _problem(status: int, code: str, detail: str, hint: str = "") -> JSONResponse:
    return JSONResponse(models.Problem(code=code, detail=detail, hint=hint).model_dump(), status)
