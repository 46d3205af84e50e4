"""Which files rows name, whatever table they stand in: what no row names may be swept."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import JSON, Column, String, Table, Text, TypeDecorator, cast, select
from sqlmodel import Session, SQLModel

OBJECT = re.compile(r"[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{64}(?:\.[a-z0-9]{1,10})?", re.ASCII)
_ANY_OBJECT = "%__/__/" + 64 * "_" + "%"
_PLACES = ("path", "folder", "dir")


def objects(session: Session) -> set[str]:
    """Every object path in any text or JSON column of any table there is, now or later."""
    found: set[str] = set()
    for table in SQLModel.metadata.sorted_tables:
        for column in _columns(table, JSON, String):
            text = cast(column, Text)
            for (value,) in session.connection().execute(select(text).where(text.like(_ANY_OBJECT))):
                found.update(OBJECT.findall(value))
    return found


def places(session: Session) -> set[str]:
    """Every value of a column that holds a path or a folder, bundles among them."""
    found: set[str] = set()
    for table in SQLModel.metadata.sorted_tables:
        for column in _columns(table, String):
            if column.name.endswith(_PLACES):
                values = session.connection().execute(select(column).distinct())
                found.update(value for (value,) in values if value)
    return found


def _columns(table: Table, *kinds: type) -> list[Column[Any]]:
    # SQLModel wraps strings in a type of its own
    return [
        column
        for column in table.columns
        if isinstance(
            column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type, kinds
        )
    ]
