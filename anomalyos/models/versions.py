"""Model versions: immutable rows that point to immutable bundles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy import func, tuple_
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, SQLModel, col, select

from anomalyos.core.errors import Conflict, NotFound
from anomalyos.db.rows import by_id, get_or_create
from anomalyos.models.tables import Category, ModelVersion

Row = TypeVar("Row", bound=SQLModel)
TRIES = 10


def find_by_content(session: Session, category_id: int, content_key: str) -> ModelVersion | None:
    """The version made from exactly these inputs, if there is one."""
    query = select(ModelVersion).where(
        ModelVersion.category_id == category_id, ModelVersion.content_key == content_key
    )
    return session.exec(query).one_or_none()


def next_version(session: Session, category_id: int) -> int:
    """One more than the newest version, 1 for the first."""
    newest = session.exec(
        select(func.max(ModelVersion.version)).where(ModelVersion.category_id == category_id)
    ).one()
    return (newest or 0) + 1


def add(session: Session, version: ModelVersion) -> ModelVersion:
    """Store a new version, or return the one another process made from the same inputs.

    Raises:
        sqlalchemy.exc.IntegrityError: the version number is taken by a different content.
    """
    row, _ = get_or_create(
        session, version, lambda: find_by_content(session, version.category_id, version.content_key)
    )
    return row


def add_next(session: Session, version: ModelVersion) -> ModelVersion:
    """As ``add``, under the next free number of its category.

    Raises:
        Conflict: other processes keep taking the next number.
    """
    owner, key = version.category_id, version.content_key
    return add_numbered(
        session, version, lambda: next_version(session, owner), lambda: find_by_content(session, owner, key)
    )[0]


def add_numbered(
    session: Session, row: Row, next_number: Callable[[], int], find: Callable[[], Row | None]
) -> tuple[Row, bool]:
    """Store ``row``, once, with the next free number as its ``version``; another process may take one
    meanwhile.

    Returns:
        The stored row, and whether this call made it.

    Raises:
        Conflict: other processes keep taking the next number.
    """
    for _ in range(TRIES):
        numbered = type(row)(**row.model_dump(exclude={"id", "version"}), version=next_number())
        try:
            return get_or_create(session, numbered, find)
        except IntegrityError:
            continue
    raise Conflict("Other processes keep taking the next version number.", "Try again in a moment.")


def list_versions(
    session: Session, category_name: str | None = None, *, limit: int | None = None, offset: int = 0
) -> Sequence[ModelVersion]:
    """Newest first, of one category (by number) or of all (by time)."""
    query = select(ModelVersion).limit(limit).offset(offset)
    if category_name is None:
        newest_first = (col(ModelVersion.created_at), col(ModelVersion.version), col(ModelVersion.id))
        return session.exec(query.order_by(*(column.desc() for column in newest_first))).all()
    own = query.join(Category, col(Category.id) == col(ModelVersion.category_id))
    own = own.where(Category.name == category_name).order_by(col(ModelVersion.version).desc())
    return session.exec(own).all()


def counts(session: Session) -> dict[int, int]:
    """How many versions each category has, by category id; those without any are left out."""
    query = select(ModelVersion.category_id, func.count()).group_by(col(ModelVersion.category_id))
    return dict(session.exec(query).all())


def newest(session: Session) -> dict[int, tuple[int, bool | None]]:
    """Each category's newest version number and what the gate said of it, by category id."""
    place = (col(ModelVersion.category_id), col(ModelVersion.version))
    latest = select(place[0], func.max(place[1])).group_by(place[0])
    query = select(*place, ModelVersion.gate_passed).where(tuple_(*place).in_(latest))
    return {category_id: (version, passed) for category_id, version, passed in session.exec(query)}


def champion(session: Session, category_name: str) -> ModelVersion | None:
    """The version that inspects now; None when nothing was promoted yet."""
    query = (
        select(ModelVersion)
        .join(Category, col(Category.champion_id) == col(ModelVersion.id))
        .where(Category.name == category_name)
    )
    return session.exec(query).one_or_none()


def get(session: Session, version_id: int) -> ModelVersion:
    """Raises ``NotFound``."""
    return by_id(session, ModelVersion, version_id, "model version with the id")


def by_version(session: Session, category_name: str, version: int) -> ModelVersion:
    """Raises ``NotFound``, naming the versions there are."""
    versions = list_versions(session, category_name)
    for row in versions:
        if row.version == version:
            return row
    known = ", ".join(f"v{row.version}" for row in versions) or "none yet"
    raise NotFound(f"{category_name} has no version {version}.", f"Its versions: {known}.")
