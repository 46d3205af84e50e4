"""What the analytics page shows, to take away: tables as CSV, drift reports as they were written."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from starlette.responses import FileResponse, Response

from anomalyos.core.errors import NotFound
from console.api.v1.csv_export import csv_response
from console.container import Services
from console.services.analytics import drift
from console.services.analytics.filter import read
from console.services.analytics.tables import TABLES
from console.services.blocking import run_blocking
from console.services.today import today_utc

_SANDBOX = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'unsafe-inline'; img-src data: blob:; font-src data:; worker-src blob:"
)
"""A report is a page of its own: it may draw, but not act with the visitor's session."""


ANY_FILE: dict[str, Any] = {"response_class": Response}


async def table(services: Services, request: Request, table: str) -> Response:
    """One table of the analytics page as CSV. A token needs the scope `read`.

    The query is the page's own: `days` (7, 30, 90) or `from` and `to`, `category`, `line`, `kind`.
    """
    if table not in TABLES:
        raise NotFound(f"There is no table {table!r}.", f"Choose one of: {', '.join(TABLES)}.")
    wanted = read(request.query_params, today_utc())
    report = await run_blocking(services.analytics.get, wanted)
    made = await run_blocking(TABLES[table], report)
    name = f"{table}-{wanted.first.isoformat()}-{wanted.last.isoformat()}"
    return csv_response(name, made.header, made.rows)


async def drift_report(services: Services, category: str, day: str) -> Response:
    """A stored drift report of one product and day. A token needs the scope `read`."""
    path = await run_blocking(drift.stored, services.settings, category, day)
    if path is None:
        raise NotFound(f"There is no drift report of {category!r} for {day!r}.")
    return FileResponse(path, media_type="text/html", headers={"Content-Security-Policy": _SANDBOX})
