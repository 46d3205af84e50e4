"""WebP: a RIFF file whose first chunk tells the canvas size (RFC 9649)."""

from __future__ import annotations

import struct

from anomalyos.images.containers.container import Container, require_only_padding
from anomalyos.images.rejection import damaged


def scan(data: bytes) -> Container:
    """A WebP still or animation; opening one allocates its whole canvas, so the size is read here."""
    if len(data) < 30:
        raise damaged("the end of the WebP is missing")
    (riff_size,) = struct.unpack_from("<I", data, 4)
    end = 8 + riff_size + riff_size % 2
    if 8 + riff_size > len(data):
        raise damaged("the end of the WebP is missing")
    require_only_padding(data, min(end, len(data)))
    width, height = _canvas(data)
    return Container("webp", width, height, data[:end])


def _canvas(data: bytes) -> tuple[int, int]:
    kind, body = data[12:16], 20
    if kind == b"VP8X":
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (body + 4, body + 7))
        return width, height
    if kind == b"VP8L" and data[body] == 0x2F:
        bits = int.from_bytes(data[body + 1 : body + 5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and data[body + 3 : body + 6] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", data, body + 6)
        return width & 0x3FFF, height & 0x3FFF
    raise damaged("the WebP header is not readable")
