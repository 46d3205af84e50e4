"""PNG: signature, then chunks of length, type, data and CRC (W3C PNG, third edition)."""

from __future__ import annotations

import struct
import zlib

from anomalyos.images.containers.container import Container, require_only_padding
from anomalyos.images.rejection import ImageRejected, damaged

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_CHUNKS = 65_536
# What a decoder needs for the pixels and their orientation. Compressed text and colour profiles
# can inflate a thousandfold, and animation frames are not used: all of it is left out unread.
KEPT = frozenset((b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"eXIf", b"IEND"))


def scan(data: bytes) -> Container:
    """First image of a PNG or APNG with its metadata removed; every CRC that is kept is checked."""
    view = memoryview(data)
    kept: list[bytes | memoryview] = [SIGNATURE]
    width = height = 0
    position = len(SIGNATURE)
    for index in range(MAX_CHUNKS):
        if position + 12 > len(data):
            raise damaged("the end of the PNG is missing")
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if end > len(data):
            raise damaged("the end of the PNG is missing")
        if (index == 0) != (kind == b"IHDR"):
            raise damaged("the PNG header is not where it belongs")
        if kind == b"IHDR":
            if length != 13:
                raise damaged("the PNG header has a wrong length")
            width, height = struct.unpack_from(">II", data, position + 8)
        if kind in KEPT:
            _check_crc(view, position, end)
            kept.append(view[position:end])
        position = end
        if kind == b"IEND":
            require_only_padding(data, position)
            return Container("png", width, height, b"".join(kept))
    raise ImageRejected("unsupported", f"The PNG has more than {MAX_CHUNKS:,} parts.")


def _check_crc(view: memoryview, start: int, end: int) -> None:
    (expected,) = struct.unpack_from(">I", view, end - 4)
    if zlib.crc32(view[start + 4 : end - 4]) != expected:
        raise damaged("a PNG checksum does not match")
