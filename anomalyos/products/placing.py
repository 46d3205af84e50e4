"""Putting files into a category so that nobody ever sees half of one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from anomalyos.core.errors import AnomalyOSError, Conflict
from anomalyos.core.files.locks import held
from anomalyos.core.files.writing import PART, write_bytes


@contextmanager
def category_lock(data_dir: Path, name: str) -> Iterator[None]:
    """Hold the only right to change a category; the system releases it when the process dies.

    Leftovers of an import that was killed are removed first.

    Raises:
        Conflict: another process holds it.
    """
    refusal = Conflict(f"Another import into {name} is running.", "Wait until it is done.")
    with held(data_dir / f".{name}.lock", refusal=refusal):
        for leftover in (data_dir / name).rglob(f".*{PART}"):
            leftover.unlink(missing_ok=True)
        yield


def place(data: bytes, target: Path) -> None:
    """Write ``data`` as ``target``: whole, or not at all when the process or the machine stops.

    Raises:
        AnomalyOSError: the disk is full or the folder is not writable.
    """
    try:
        write_bytes(target, data)
    except OSError as error:
        raise AnomalyOSError(
            f"{target} cannot be written: {error.strerror}.",
            "Make room or correct the permissions, then run the import again: it goes on where it stopped.",
        ) from error
