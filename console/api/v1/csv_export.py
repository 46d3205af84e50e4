"""A table as a file to download."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from starlette.responses import StreamingResponse

from console.services.csv_table import Cell, stream


def csv_response(name: str, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> StreamingResponse:
    """A download called ``name``.csv, written while it is sent; ``rows`` may be a generator."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "export"
    return StreamingResponse(
        stream(header, rows),
        media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{plain}.csv"',
            "Cache-Control": "private, no-store",
        },
    )
