"""One training of a category at a time: a lock that a killed process cannot leave behind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from anomalyos.core.errors import Conflict


@contextmanager
def held(path: Path, what: str = "") -> Iterator[None]:
    """Hold the lock ``path`` while the block runs; the operating system frees it with the process.

    Args:
        what: said when another process holds it; without, the block waits for its turn.

    Raises:
        Conflict: another process holds it.
    """
    import fcntl

    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (fcntl.LOCK_NB if what else 0))
        except BlockingIOError as error:
            raise Conflict(f"{what} by another process.", "Wait until it is done.") from error
        yield
    finally:
        os.close(handle)
