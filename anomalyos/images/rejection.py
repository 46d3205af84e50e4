"""Why an image was refused, in words for the person who sent it."""

from __future__ import annotations

from typing import Literal

from anomalyos.core.errors import AnomalyOSError

RejectionCode = Literal[
    "empty",
    "too_large",
    "too_many_pixels",
    "not_an_image",
    "truncated",
    "unsupported",
    "trailing_data",
    "too_small",
]


class ImageRejected(AnomalyOSError):
    """An image that must not enter the platform.

    ``code`` is stable and safe to store or count; ``message`` is for people. ``truncated``
    covers every file whose bytes are incomplete or damaged.
    """

    def __init__(self, code: RejectionCode, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.code: RejectionCode = code


def damaged(detail: str) -> ImageRejected:
    """The rejection for a file that ends too early or contradicts itself."""
    return ImageRejected(
        "truncated", f"The file is incomplete or damaged: {detail}.", "Send the image again from its source."
    )
