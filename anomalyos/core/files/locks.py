"""One process at a time: a lock that a killed process cannot leave behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from anomalyos.core.errors import AnomalyOSError, Conflict


@contextmanager
def held(path: Path, what: str = "", *, refusal: AnomalyOSError | None = None) -> Iterator[None]:
    """Hold the lock ``path`` while the block runs; the operating system frees it with the process.

    Args:
        what: said when another process holds it.
        refusal: raised then, in place of a ``Conflict`` that says ``what``. With neither, the block waits
            for its turn.

    Raises:
        Conflict: another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, mode=0o600)
    try:
        lock.acquire(blocking=not what and refusal is None)
    except Timeout as error:
        raise (refusal or Conflict(f"{what} by another process.", "Wait until it is done.")) from error
    try:
        yield
    finally:
        lock.release()
