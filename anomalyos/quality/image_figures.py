"""Figures of pictures by content."""

from __future__ import annotations

from collections.abc import Iterable

from sqlmodel import Session, col, select

from anomalyos.db.rows import get_or_create
from anomalyos.quality.tables import ImageFigures

_AT_ONCE = 500
"""Parameters of one query: databases have a limit."""


def find_many(session: Session, hashes: Iterable[str], version: int) -> dict[str, ImageFigures]:
    """What is known of these contents, measured with ``version``, by SHA-256."""
    wanted = sorted(set(hashes))
    known: dict[str, ImageFigures] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        query = select(ImageFigures).where(
            col(ImageFigures.sha256).in_(wanted[start : start + _AT_ONCE]), ImageFigures.version == version
        )
        known |= {row.sha256: row for row in session.exec(query)}
    return known


def keep(session: Session, rows: Iterable[ImageFigures]) -> None:
    """Keep figures; those of an older version give way, those another process has kept meanwhile stay."""
    for row in rows:
        stored, created = get_or_create(session, row, lambda: session.get(ImageFigures, row.sha256))  # noqa: B023
        if not created and stored.version != row.version:
            for name, value in row.model_dump(exclude={"sha256"}).items():
                setattr(stored, name, value)
            session.add(stored)
    session.flush()
