"""JPEG: a run of marker segments with entropy-coded data after each SOS (ITU-T T.81, annex B)."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from anomalyos.images.containers.container import Container, trailing_data
from anomalyos.images.rejection import ImageRejected, damaged

SOI, EOI, SOS, DNL = 0xD8, 0xD9, 0xDA, 0xDC
APP0, APP1, APP14, APP15, COMMENT = 0xE0, 0xE1, 0xEE, 0xEF, 0xFE
START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# A progressive encoder writes about ten scans. Each costs a decoder a full pass over the image
# for as little as a dozen bytes, so a file full of them would keep a worker busy for hours.
MAX_SCANS = 40
MAX_PICTURES = 16
_FILL, _ZEROS = re.compile(rb"\xff*"), re.compile(rb"\x00*")
# In entropy-coded data 0xFF is followed by 0x00 or a restart marker; anything else ends it.
_NEXT_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xff]")


@dataclass
class _Picture:
    end: int
    width: int
    height: int
    payload: bytes


def scan(data: bytes) -> Container:
    """First picture of a JPEG, without colour profile, comments and maker data.

    Some cameras append further complete JPEGs (multi-picture format: preview, second lens)
    or zero padding. Both are accepted and ignored; anything else after the end is refused,
    phone "motion" videos included.
    """
    first = _picture(data, 0)
    end = first.end
    for _ in range(MAX_PICTURES):
        end = _after(_ZEROS, data, end)
        if end == len(data):
            return Container("jpeg", first.width, first.height, first.payload)
        if data[end : end + 3] != b"\xff\xd8\xff":
            raise trailing_data(len(data) - end)
        end = _picture(data, end).end
    raise trailing_data(len(data) - end)


def _picture(data: bytes, start: int) -> _Picture:
    """Walk one picture from its SOI to just after its EOI."""
    view = memoryview(data)
    kept: list[bytes | memoryview] = [view[start : start + 2]]
    width = height = scans = 0
    position = start + 2
    while True:
        marker, body = _marker(data, position)
        if marker == EOI:
            if not (scans and width):
                raise damaged("the JPEG holds no picture")
            kept.append(b"\xff\xd9")
            return _Picture(body, width, height, b"".join(kept))
        end = _segment_end(data, body)
        if marker in START_OF_FRAME:
            if width or end - body < 8:
                raise damaged("the JPEG frame header is wrong")
            height, width = struct.unpack_from(">HH", data, body + 3)
        elif marker == SOS:
            scans += 1
            if scans > MAX_SCANS:
                raise ImageRejected("unsupported", f"The JPEG has more than {MAX_SCANS} scans.")
            end = _entropy_end(data, end)
        if _is_kept(marker, data[body + 2 : body + 8]):
            kept.append(view[body - 2 : end])
        position = end


def _marker(data: bytes, position: int) -> tuple[int, int]:
    """Marker code at ``position`` and where its segment starts; fill bytes are skipped."""
    if data[position : position + 1] not in (b"\xff", b""):
        raise damaged("the JPEG has bytes between its segments")
    position = _after(_FILL, data, position)
    if position >= len(data):
        raise damaged("the end of the JPEG is missing")
    marker = data[position]
    if marker < 0xC0 or marker == SOI or 0xD0 <= marker <= 0xD7:
        raise damaged("the JPEG has an unknown segment")
    return marker, position + 1


def _segment_end(data: bytes, body: int) -> int:
    if body + 2 > len(data):
        raise damaged("the end of the JPEG is missing")
    (length,) = struct.unpack_from(">H", data, body)
    end = body + int(length)
    if length < 2:
        raise damaged("a JPEG segment has a wrong length")
    if end > len(data):
        raise damaged("the end of the JPEG is missing")
    return end


def _entropy_end(data: bytes, start: int) -> int:
    match = _NEXT_MARKER.search(data, start)
    if match is None:
        raise damaged("the end of the JPEG is missing")
    return match.start()


def _is_kept(marker: int, head: bytes) -> bool:
    """JFIF and Adobe segments say how colours are stored, EXIF which way is up."""
    if marker == APP1:
        return head == b"Exif\x00\x00"
    if marker in (APP0, APP14):
        return True
    return not (APP0 < marker <= APP15 or marker == COMMENT)


def _after(run: re.Pattern[bytes], data: bytes, start: int) -> int:
    """Where a run of bytes that starts at ``start``, and may be empty, ends."""
    match = run.match(data, start)
    return match.end() if match else start
