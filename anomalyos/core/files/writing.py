"""Files that are whole or not there, whatever stops the process or the machine."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PART = ".part"
"""How a draft's name ends; it begins with a dot. One that is found was left by a killed process."""


@contextmanager
def draft(path: Path, *, mode: int = 0o644, durable: bool = True) -> Iterator[Path]:
    """An empty hidden file beside ``path`` to be written; it takes that place when the block ends well.

    Args:
        durable: wait until the content is on the disk before the name is given.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{secrets.token_hex(16)}{PART}")
    try:
        part.touch(mode=mode, exist_ok=False)
        yield part
        if durable:
            sync(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes, *, mode: int = 0o644, durable: bool = True) -> None:
    """Write ``data`` as ``path``: whole, or not at all."""
    with draft(path, mode=mode, durable=durable) as part:
        part.write_bytes(data)


def write_text(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Write ``text`` as ``path`` in UTF-8: whole, or not at all."""
    write_bytes(path, text.encode("utf-8"), mode=mode)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
