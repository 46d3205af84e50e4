"""What the repositories share: inserting in a race, and text a database can hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, SQLModel

from anomalyos.core.errors import AnomalyOSError, NotFound

Row = TypeVar("Row", bound=SQLModel)


def get_or_create(session: Session, row: Row, find: Callable[[], Row | None]) -> tuple[Row, bool]:
    """Add ``row`` unless ``find`` knows it already; returns the stored row and whether it is new.

    When another process inserts the same between looking and adding, the savepoint gives way
    and the other's row is returned; the surrounding transaction goes on.
    """
    found = find()
    if found is not None:
        return found, False
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError:
        found = find()
        if found is None:  # not a race: a broken reference
            raise
        return found, False
    return row, True


def get_or_create_many(
    session: Session, wanted: Mapping[str, Row], find: Callable[[], Mapping[str, Row]]
) -> dict[str, tuple[Row, bool]]:
    """``get_or_create`` of several rows in one statement each, by key; they are added in this order.

    Args:
        wanted: the rows by what makes them unique.
        find: those of them that are stored now.
    """
    found = find()
    added = {key: row for key, row in wanted.items() if key not in found}
    while True:
        try:
            with session.begin_nested():
                session.add_all(added.values())
                session.flush()
        except IntegrityError:
            before, found = len(found), find()
            if len(found) == before:  # not a race: a broken reference
                raise
            # a row that was turned away may have been given an id already
            rest = {key: row for key, row in added.items() if key not in found}
            added = {key: type(row)(**row.model_dump(exclude={"id"})) for key, row in rest.items()}
        else:
            return {key: (added.get(key) or found[key], key in added) for key in wanted}


def by_id(session: Session, table: type[Row], row_id: int, what: str, hint: str = "") -> Row:
    """The row of a table with this id.

    Raises:
        NotFound: "There is no ``what`` 7.", with the hint.
    """
    row = session.get(table, row_id)
    if row is None:
        raise NotFound(f"There is no {what} {row_id}.", hint)
    return row


def stored_id(row_id: int | None) -> int:
    """The id of a row that has been flushed."""
    if row_id is None:
        raise ValueError("the row has not been stored yet")
    return row_id


def plain_text(value: str, what: str, limit: int, *, required: bool = False) -> str:
    """``value`` without surrounding blanks.

    Raises:
        AnomalyOSError: too long, empty although required, or with characters no database can hold.
    """
    text = value.strip()
    if required and not text:
        raise AnomalyOSError(f"The {what} is missing.")
    if len(text) > limit:
        raise AnomalyOSError(f"The {what} has {len(text)} characters; {limit} is the limit.")
    if "\0" in text or any("\ud800" <= c <= "\udfff" for c in text):
        raise AnomalyOSError(f"The {what} holds characters that cannot be stored.")
    return text


def storable(value: str) -> str:
    """``value`` with every character no database can hold written as an escape.

    File names on Linux are bytes, so a camera may deliver one that is not valid text.
    """
    return value.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\x00")
