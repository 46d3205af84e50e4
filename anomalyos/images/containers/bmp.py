"""BMP: a file header, a DIB header of 12 or at least 40 bytes, and rows padded to 4 bytes."""

from __future__ import annotations

import struct

from anomalyos.images.containers.container import Container, require_only_padding
from anomalyos.images.rejection import ImageRejected, damaged

UNCOMPRESSED = (0, 3)
"""BI_RGB and BI_BITFIELDS: the only ones whose end can be computed from the header."""


def scan(data: bytes) -> Container:
    """An uncompressed BMP; the size field of the file header is ignored, writers get it wrong."""
    if len(data) < 26:
        raise damaged("the end of the BMP is missing")
    pixels_at, header_size = struct.unpack_from("<II", data, 10)
    if header_size == 12:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
        compression = 0
    elif header_size >= 40 and len(data) >= 54:
        width, height, _, bits, compression = struct.unpack_from("<iiHHI", data, 18)
    else:
        raise damaged("the BMP header is not readable")
    if compression not in UNCOMPRESSED or bits not in (1, 4, 8, 16, 24, 32):
        raise ImageRejected("unsupported", "Compressed BMP files are not accepted.", "Save it as PNG.")
    if width < 0:
        raise damaged("the BMP has a negative width")
    end = pixels_at + (width * bits + 31) // 32 * 4 * abs(height)
    if end > len(data):
        raise damaged("the end of the BMP is missing")
    require_only_padding(data, end)
    return Container("bmp", width, abs(height), data)
