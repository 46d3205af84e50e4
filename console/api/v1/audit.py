"""The audit log as a file, with the filters of its page."""

from __future__ import annotations

from starlette.responses import StreamingResponse

from console.api.v1.caller import Caller
from console.api.v1.csv_export import csv_response
from console.container import Services
from console.services.accounts import LOG_HEADER, LogQuestion
from console.services.blocking import run_blocking


async def export(
    services: Services,
    person: Caller,
    actor: str = "",
    action: str = "",
    subject: str = "",
    since: str = "",
    until: str = "",
) -> StreamingResponse:
    asked = LogQuestion.read(actor, action, subject, since, until)
    rows = await run_blocking(services.accounts.export_log, person, asked)
    return csv_response("audit-log", LOG_HEADER, rows)
