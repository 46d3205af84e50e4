"""Which production line or camera a picture came from, told by its source alone."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import String, func, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import SQLCoreOperations
from sqlalchemy.sql.functions import FunctionElement
from sqlmodel import Session

_PATTERN = "(?:.*[/:])?((?:cam|camera|line|station)[0-9]+)[_-][^/:]*"
_LINE = re.compile(_PATTERN, re.ASCII | re.IGNORECASE | re.DOTALL)
_NAME = "anomalyos_line"


def line_of(source: str) -> str:
    """The line in small letters, empty where the source does not tell one.

    Nothing but ``Inspection.source`` says it: the file's name must begin with ``cam``, ``camera``,
    ``line`` or ``station``, a number, and ``_`` or ``-``. So ``2026-11-24/sample_zipper/cam2_0123.png``
    and ``upload:CAM2-7.png`` are of ``cam2``, and ``2026-11-24/hazelnut/IMG_7.png`` of none. Folders
    do not tell: in the inbox they name the product.
    """
    found = _LINE.fullmatch(source)
    return found[1].lower() if found else ""


class Line(FunctionElement[str]):
    """``line_of`` in a query.

    There is no expression both databases understand and evaluate quickly: PostgreSQL matches the
    same pattern itself, SQLite calls ``line_of``, once ``teach`` has told it to.
    """

    name = _NAME
    type = String()
    inherit_cache = True

    def __init__(self, source: SQLCoreOperations[str]) -> None:
        super().__init__(source)


@compiles(Line, "postgresql")
def _on_postgresql(element: Line, compiler: SQLCompiler, **kwargs: Any) -> str:
    found = func.substring(*element.clauses, literal(f"(?i)^{_PATTERN}$"))
    return compiler.process(func.coalesce(func.lower(found), ""), **kwargs)


@compiles(Line, "sqlite")
def _on_sqlite(element: Line, compiler: SQLCompiler, **kwargs: Any) -> str:
    return f"{_NAME}({compiler.process(element.clauses, **kwargs)})"


def teach(session: Session) -> None:
    """Let this session's connection evaluate ``Line``; to be called before such a query."""
    if session.get_bind().dialect.name == "sqlite":
        driver: Any = session.connection().connection.driver_connection
        driver.create_function(_NAME, 1, line_of, deterministic=True)
