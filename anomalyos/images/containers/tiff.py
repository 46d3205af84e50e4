"""TIFF: directories of tags that point anywhere in the file (TIFF 6.0, section 2)."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from anomalyos.images.containers.container import Container, require_only_padding
from anomalyos.images.rejection import ImageRejected, damaged

WIDTH, HEIGHT, COMPRESSION = 256, 257, 259
STRIPS, TILES = (273, 279), (324, 325)
TILE_WIDTH, TILE_HEIGHT = 322, 323
SUB_DIRECTORIES = (330, 34665, 34853, 40965)
TYPE_SIZE = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
INTEGERS = {1: "B", 3: "H", 4: "I", 13: "I"}
# none, LZW, JPEG, deflate (two numbers), PackBits: what cameras and editors write
COMPRESSIONS = (1, 5, 7, 8, 32946, 32773)
MAX_DIRECTORIES = 1024
MAX_TAGS = 512
MAX_STRIPS = 2**17


@dataclass
class _Walk:
    """Directories seen so far, and the last byte any of them points to."""

    data: bytes
    order: str
    end: int = 8
    spent: int = 0
    seen: set[int] = field(default_factory=set)

    def reach(self, start: int, size: int) -> None:
        """Count bytes ``start .. start + size`` as part of the file.

        ``spent`` bounds the work: tags of an honest file do not overlap, so together they
        cannot be longer than the file; a file whose tags all point to one large block would
        make a decoder copy that block thousands of times.
        """
        if start + size > len(self.data):
            raise damaged("the end of the TIFF is missing")
        self.spent += size
        if self.spent > 2 * len(self.data):
            raise damaged("the TIFF uses the same bytes many times")
        self.end = max(self.end, start + size)


def scan(data: bytes) -> Container:
    """First page of a TIFF. Further pages are not decoded, but must be complete."""
    order = "<" if data[:2] == b"II" else ">"
    if len(data) < 8:
        raise damaged("the end of the TIFF is missing")
    walk = _Walk(data, order)
    first: dict[int, tuple[int, ...]] | None = None
    queue = [struct.unpack_from(order + "I", data, 4)[0]]
    while queue:
        offset = queue.pop(0)
        if offset == 0 or offset in walk.seen:
            continue
        walk.seen.add(offset)
        if len(walk.seen) > MAX_DIRECTORIES:
            raise ImageRejected("unsupported", f"The TIFF has more than {MAX_DIRECTORIES} pages.")
        tags, following = _directory(walk, offset)
        first = tags if first is None else first
        queue.extend((following, *(at for tag in SUB_DIRECTORIES for at in tags.get(tag, ()))))
    require_only_padding(data, walk.end)
    width, height = _check_first_page(first or {})
    return Container("tiff", width, height, data)


def _directory(walk: _Walk, offset: int) -> tuple[dict[int, tuple[int, ...]], int]:
    """Integer tags of one directory that matter here, and where the next directory is (0: none)."""
    walk.reach(offset, 2)
    (count,) = struct.unpack_from(walk.order + "H", walk.data, offset)
    if count > MAX_TAGS:
        raise damaged("the TIFF has too many tags")
    walk.reach(offset + 2, 12 * count + 4)
    wanted = {WIDTH, HEIGHT, COMPRESSION, TILE_WIDTH, TILE_HEIGHT, *STRIPS, *TILES, *SUB_DIRECTORIES}
    tags: dict[int, tuple[int, ...]] = {}
    for index in range(count):
        tag, values = _entry(walk, offset + 2 + 12 * index, wanted)
        if values is not None:
            tags[tag] = values
    for offsets, sizes in (STRIPS, TILES):
        if len(tags.get(offsets, ())) != len(tags.get(sizes, ())):
            raise damaged("the TIFF does not say how long its strips are")
        for start, size in zip(tags.get(offsets, ()), tags.get(sizes, ()), strict=True):
            walk.reach(start, size)
    return tags, struct.unpack_from(walk.order + "I", walk.data, offset + 2 + 12 * count)[0]


def _entry(walk: _Walk, at: int, wanted: set[int]) -> tuple[int, tuple[int, ...] | None]:
    """Tag number and its values when it is a wanted integer tag."""
    tag, kind, count = struct.unpack_from(walk.order + "HHI", walk.data, at)
    size = TYPE_SIZE.get(kind, 0) * count
    start = at + 8
    if size > 4:
        (start,) = struct.unpack_from(walk.order + "I", walk.data, start)
        walk.reach(start, size)
    if tag not in wanted or kind not in INTEGERS:
        return tag, None
    if count > MAX_STRIPS:
        raise ImageRejected("unsupported", f"The TIFF has more than {MAX_STRIPS:,} strips.")
    return tag, struct.unpack_from(f"{walk.order}{count}{INTEGERS[kind]}", walk.data, start)


def _check_first_page(tags: dict[int, tuple[int, ...]]) -> tuple[int, int]:
    width, height = (tags.get(tag, (0,))[:1] or (0,) for tag in (WIDTH, HEIGHT))
    if not (tags.get(STRIPS[0]) or tags.get(TILES[0])):
        raise damaged("the TIFF holds no picture")
    if not set(tags.get(COMPRESSION, (1,))) <= set(COMPRESSIONS):
        raise ImageRejected(
            "unsupported", "The TIFF uses an unusual compression.", "Save it with LZW, deflate or none."
        )
    for tag, side in ((TILE_WIDTH, width[0]), (TILE_HEIGHT, height[0])):
        # a tile is decoded whole: one far larger than the picture is only good for exhausting memory
        if any(value > side + 4096 for value in tags.get(tag, ())):
            raise damaged("the TIFF has tiles larger than the picture")
    return width[0], height[0]
