"""Tables as CSV files that a spreadsheet opens as they are meant: as text and numbers, never as formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet may take for the start of a formula, full-width forms too."""
_ROWS_A_CHUNK = 500
_BOM = "\ufeff"

Cell = str | int | float | bool | datetime | None


@dataclass(frozen=True)
class Table:
    """A heading and the rows below it."""

    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]


def safe_cell(value: Cell) -> str | int | float:
    """``value`` as it may stand in a CSV file.

    Text that could start a formula gets an apostrophe in front, which spreadsheets read as "this is
    text". Numbers stay numbers, negative ones too. Times are written in UTC.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds")
    return f"'{value}" if value.startswith(_FORMULA) else value


def stream(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """The file in pieces of some hundred rows: UTF-8 with a byte order mark, so umlauts survive."""
    buffer = io.StringIO()
    buffer.write(_BOM)
    writer = csv.writer(buffer)
    writer.writerow([safe_cell(title) for title in header])
    for number, row in enumerate(rows, start=1):
        writer.writerow([safe_cell(value) for value in row])
        if number % _ROWS_A_CHUNK == 0:
            yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> bytes:
    # a name that is not valid text must not stop the export half way
    data = buffer.getvalue().encode("utf-8", "backslashreplace")
    buffer.seek(0)
    buffer.truncate()
    return data
