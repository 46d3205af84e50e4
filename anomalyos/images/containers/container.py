"""What is known of an image file from its structure alone, and what may follow its end."""

from __future__ import annotations

from dataclasses import dataclass

from anomalyos.images.rejection import ImageRejected


@dataclass(frozen=True)
class Container:
    """``width`` and ``height`` are pixels as stored, before EXIF orientation.

    ``payload`` is what the decoder gets: the image without metadata it does not need.
    """

    format: str
    width: int
    height: int
    payload: bytes


def require_only_padding(data: bytes, end: int) -> None:
    """Accept zero bytes after ``end`` and nothing else: cameras pad to a block size, attackers append.

    Raises:
        ImageRejected: with code ``trailing_data``.
    """
    tail = memoryview(data)[end:]
    if any(tail):
        raise trailing_data(len(tail))


def trailing_data(count: int) -> ImageRejected:
    return ImageRejected(
        "trailing_data",
        f"The image is followed by {count:,} bytes that are not part of it.",
        "Save the image again with an image editor, or export it without attachments.",
    )
