"""Files of the inbox, read and decoded a little ahead of whoever inspects them, in order."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path

from anomalyos.core.errors import AnomalyOSError
from anomalyos.images.containers.scanning import scan_container
from anomalyos.images.decoding import DecodedImage, ImageRejected

AT_ONCE = 8
"""Images that are inspected together. Twice as many gain nothing on two cores and double the memory."""

PIXELS_AT_ONCE = 24_000_000
"""Pixels of the images that are inspected together, unless a single one has more: three bytes each."""


class Unreadable(AnomalyOSError):
    """The bytes of a file cannot be had; the message is the reason a reviewer sees."""


@dataclass
class Delivery:
    """One file on its way through a shard."""

    source: str
    """Relative to the inbox."""
    data: bytes = b""
    sha256: str = ""
    """Of ``data``; empty when it could not be read."""
    pixels: int = 0
    """As the file claims; 0 when it is no image."""
    known: bool = False
    """An earlier run has recorded it."""
    image: DecodedImage | None = None
    problem: Exception | None = None
    """``ImageRejected`` and ``Unreadable`` are results; anything else is a failure."""
    decode_ms: float = 0.0


class ReadAhead:
    """Deliveries in groups to inspect together; while one is worked on, the next are read and decoded.

    Memory is bounded whatever the shard's length: two groups are decoded at most, and the bytes of one
    more are in hand.
    """

    def __init__(
        self,
        sources: Sequence[str],
        read: Callable[[str], bytes],
        known: Callable[[Iterable[Delivery]], set[str]],
        decode: Callable[[Delivery], None],
        pool: Executor,
    ) -> None:
        """Takes what it needs from its caller.

        Args:
            read: bytes of a source; raises ``Unreadable``.
            known: sources among these that an earlier run has recorded.
            decode: fills in ``image``, or raises.
            pool: threads that read and decode.
        """
        self.sources = sources
        self._read = read
        self._known = known
        self._decode = decode
        self._pool = pool

    def __iter__(self) -> Iterator[list[Delivery]]:
        decoding: tuple[list[Delivery], list[Future[None]]] | None = None
        for group in self._groups():
            started = [self._pool.submit(self._fill, one) for one in group if self._to_decode(one)]
            if decoding is not None:
                yield _finished(*decoding)
            decoding = group, started
        if decoding is not None:
            yield _finished(*decoding)

    def _groups(self) -> Iterator[list[Delivery]]:
        for window in self._windows():
            known = self._known(one for one in window if one.sha256)
            group: list[Delivery] = []
            for one in window:
                one.known = one.source in known
                if group and sum(other.pixels for other in group) + one.pixels > PIXELS_AT_ONCE:
                    yield group
                    group = []
                group.append(one)
            yield group

    def _windows(self) -> Iterator[list[Delivery]]:
        parts = [self.sources[start : start + AT_ONCE] for start in range(0, len(self.sources), AT_ONCE)]
        reading: list[Future[Delivery]] = []
        for part in [*parts, []]:
            started = [self._pool.submit(self._load, source) for source in part]
            if reading:
                yield [future.result() for future in reading]
            reading = started

    def _load(self, source: str) -> Delivery:
        one = Delivery(source)
        try:
            one.data = self._read(source)
            one.sha256 = hashlib.sha256(one.data).hexdigest()
            one.pixels = _claimed_pixels(one.data)
        except Exception as problem:  # noqa: BLE001 - one file must never stop the others
            one.problem = problem
        return one

    def _to_decode(self, one: Delivery) -> bool:
        return not one.known and one.problem is None

    def _fill(self, one: Delivery) -> None:
        try:
            self._decode(one)
        except Exception as problem:  # noqa: BLE001 - one file must never stop the others
            one.problem = problem


def _finished(group: list[Delivery], started: list[Future[None]]) -> list[Delivery]:
    for future in started:
        future.result()
    return group


def _claimed_pixels(data: bytes) -> int:
    try:
        container = scan_container(data)
    except ImageRejected:
        return 0
    return container.width * container.height


def read_limited(path: Path, limit: int) -> bytes:
    """At most ``limit`` + 1 bytes of a file: enough for the decoder to see that it is too large.

    Raises:
        Unreadable: when the file is gone, forbidden, not a regular file, or the disk fails.
    """
    try:
        if not path.is_file():
            raise Unreadable("The file is gone, or is not a regular file.")
        with path.open("rb") as file:
            return file.read(limit + 1)
    except OSError as error:
        raise Unreadable(f"The file cannot be read: {error.strerror or error}.") from error
