"""Which formats are let in, and which scan an image file needs."""

from __future__ import annotations

from collections.abc import Callable

from anomalyos.images.containers import bmp, jpeg, png, tiff, webp
from anomalyos.images.containers.container import Container
from anomalyos.images.rejection import ImageRejected

ACCEPTED = "Accepted are PNG, JPEG, BMP, TIFF and WebP images."


def scan_container(data: bytes) -> Container:
    """Structure of an image file, its format told from its first bytes and never from a name.

    Raises:
        ImageRejected: not one of the accepted formats, cut off, followed by foreign data,
            or built to exhaust a decoder.
    """
    return _scanner(data)(data)


def _scanner(data: bytes) -> Callable[[bytes], Container]:
    if data.startswith(png.SIGNATURE):
        return png.scan
    if data.startswith(b"\xff\xd8\xff"):
        return jpeg.scan
    if data.startswith((b"II*\x00", b"MM\x00*")):
        return tiff.scan
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return webp.scan
    if data.startswith(b"BM"):
        return bmp.scan
    kind = _known_but_refused(data)
    if kind:
        raise ImageRejected("unsupported", f"{kind} files are not accepted.", ACCEPTED)
    raise ImageRejected("not_an_image", "The file is not an image.", ACCEPTED)


def _known_but_refused(data: bytes) -> str:
    """Name of a common format that is refused, so that the reason can say what was sent."""
    if data[4:8] == b"ftyp":
        return "HEIC, AVIF and video"
    prefixes = {
        b"GIF8": "GIF",
        b"%PDF": "PDF",
        b"PK\x03\x04": "ZIP and office",
        b"8BPS": "Photoshop",
        b"II+\x00": "BigTIFF",
        b"MM\x00+": "BigTIFF",
        b"\x00\x00\x00\x0cjP  ": "JPEG 2000",
        b"\xff\x4f\xff\x51": "JPEG 2000",
        b"v/1\x01": "OpenEXR",
        b"DICM": "DICOM",
    }
    return next((kind for prefix, kind in prefixes.items() if data.startswith(prefix)), "")
