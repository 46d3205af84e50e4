"""Image rows: one per content, whoever delivers it and however often."""

from __future__ import annotations

from sqlmodel import Session, select

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


def find(session: Session, sha256: str) -> Image | None:
    return session.exec(select(Image).where(Image.sha256 == sha256)).one_or_none()
