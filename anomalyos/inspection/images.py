"""Image rows: one per content, whoever delivers it and however often."""

from __future__ import annotations

from collections.abc import Iterable

from sqlmodel import Session, col, select

from anomalyos.db import rows
from anomalyos.inspection.tables import Image


def get_or_create(
    session: Session, *, sha256: str, object_path: str, format: str, width: int, height: int, size_bytes: int
) -> Image:
    """The row of this content. Its object file must have been written before."""
    row = Image(
        sha256=sha256,
        object_path=object_path,
        format=format,
        width=width,
        height=height,
        size_bytes=size_bytes,
    )
    return rows.get_or_create(session, row, lambda: find(session, sha256))[0]


def get_or_create_many(session: Session, images: Iterable[Image]) -> dict[str, Image]:
    """The stored rows of these contents, by SHA-256; their object files must have been written before."""
    # always in the same order: two processes that store the same contents must not wait for each other
    wanted = {image.sha256: image for image in sorted(images, key=lambda image: image.sha256)}
    query = select(Image).where(col(Image.sha256).in_(wanted))
    stored = rows.get_or_create_many(
        session, wanted, lambda: {row.sha256: row for row in session.exec(query)}
    )
    return {sha256: row for sha256, (row, _) in stored.items()}


def find(session: Session, sha256: str) -> Image | None:
    return session.exec(select(Image).where(Image.sha256 == sha256)).one_or_none()
