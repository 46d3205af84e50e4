"""The REST reference at /docs, with Swagger's files served from here instead of from another host."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from nicegui import app
from starlette.responses import HTMLResponse, JSONResponse, Response

import anomalyos
from console.container import Services

SWAGGER = "/assets/swagger"


def serve_swagger() -> None:
    # fastapi-offline ships Swagger UI's files in its wheel; its FastAPI subclass is not needed here
    assets = Path(str(files("fastapi_offline") / "static"))
    app.add_static_files(SWAGGER, assets, max_cache_age=86_400)


async def docs(services: Services) -> HTMLResponse:
    return get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="AnomalyOS REST",
        swagger_js_url=f"{SWAGGER}/swagger-ui-bundle.js",
        swagger_css_url=f"{SWAGGER}/swagger-ui.css",
        swagger_favicon_url="/favicon.ico",
    )


async def schema(services: Services) -> Response:
    return JSONResponse(_schema())


def _schema() -> dict[str, Any]:
    routes = [route for route in app.routes if isinstance(route, APIRoute) and route.include_in_schema]
    schema = get_openapi(
        title="AnomalyOS",
        version=anomalyos.__version__,
        description="Inspect images, read results, decide. Create tokens with `anomalyos users`.",
        routes=[route for route in routes if "AnomalyOS" in route.tags],
    )
    schema.setdefault("components", {})["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    schema["security"] = [{"token": []}]
    return schema
