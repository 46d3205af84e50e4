"""Putting files into a category so that nobody ever sees half of one."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from anomalyos.core.errors import AnomalyOSError, Conflict

PART = ".part"


@contextmanager
def category_lock(data_dir: Path, name: str) -> Iterator[None]:
    """Hold the only right to change a category; the system releases it when the process dies.

    Leftovers of an import that was killed are removed first.

    Raises:
        Conflict: another process holds it.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / f".{name}.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict(f"Another import into {name} is running.", "Wait until it is done.") from error
        for leftover in (data_dir / name).rglob(f".*{PART}"):
            leftover.unlink(missing_ok=True)
        yield


def place(data: bytes, target: Path) -> None:
    """Write ``data`` as ``target``: whole, or not at all when the process or the machine stops.

    Raises:
        AnomalyOSError: the disk is full or the folder is not writable.
    """
    part = target.parent / f".{uuid4().hex}{PART}"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise AnomalyOSError(
            f"{target} cannot be written: {error.strerror}.",
            "Make room or correct the permissions, then run the import again: it goes on where it stopped.",
        ) from error
