"""Image rows: one per content, whoever delivers it and however often."""

from __future__ import annotations

from sqlmodel import Session, select

from anomalyos.core.errors import NotFound
from anomalyos.db import rows
from anomalyos.inspection.tables import Image


def get_or_create(
    session: Session,
    *,
    sha256: str,
    object_path: str,
    format: str,
    width: int,
    height: int,
    size_bytes: int,
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


def get(session: Session, image_id: int) -> Image:
    """Raises ``NotFound``."""
    image = session.get(Image, image_id)
    if image is None:
        raise NotFound(f"There is no image with the id {image_id}.")
    return image
