"""Content-addressed files: written once under their SHA-256, never changed."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import time
from pathlib import Path

from anomalyos.core.errors import AnomalyOSError, NotFound
from anomalyos.core.files.writing import sync

_OBJECT_PATH = re.compile(r"([0-9a-f]{2})/([0-9a-f]{2})/(\1\2[0-9a-f]{60})((?:\.[a-z0-9]{1,10})?)", re.ASCII)
_SUFFIX = re.compile(r"(\.[a-z0-9]{1,10})?", re.ASCII)
_TEMPORARY = ".incoming"


class DamagedObject(AnomalyOSError):
    """A stored file whose bytes no longer match its name."""


class ObjectStore:
    """Files under ``root`` as ``ab/cd/<sha256><suffix>``.

    A file is written elsewhere, flushed to disk and then renamed: it is there whole or not at
    all, and whatever a killed process left behind can never be taken for an object.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, data: bytes, suffix: str) -> str:
        """Store ``data`` and return its path relative to ``root``; storing it again is free.

        Args:
            data: the content.
            suffix: ``""`` or an extension such as ``".png"``.
        """
        if not _SUFFIX.fullmatch(suffix):
            raise AnomalyOSError(f"{suffix!r} is not a file suffix.")
        digest = hashlib.sha256(data).hexdigest()
        relative = f"{digest[:2]}/{digest[2:4]}/{digest}{suffix}"
        target = self.root / relative
        # a file of another length cannot be the content its name promises: write it again
        if not target.is_file() or target.stat().st_size != len(data):
            self._write(target, data)
            return relative
        try:
            # young again: the sweep of files no row names leaves it until its row has come
            os.utime(target)
        except FileNotFoundError:  # it was swept this very moment
            self._write(target, data)
        return relative

    def read(self, path: str) -> bytes:
        """Bytes of an object.

        Raises:
            NotFound: there is no such object.
            DamagedObject: the bytes are not those that were stored.
        """
        try:
            data = self.absolute(path).read_bytes()
        except FileNotFoundError as error:
            raise NotFound(f"The stored file {path} is missing.", "Restore it from a backup.") from error
        if hashlib.sha256(data).hexdigest() != Path(path).name[:64]:
            raise DamagedObject(f"The stored file {path} is damaged.", "Restore it from a backup.")
        return data

    def absolute(self, path: str) -> Path:
        """Where the object lies. Raises ``AnomalyOSError`` for anything that is not an object's path."""
        if not _OBJECT_PATH.fullmatch(path):
            raise AnomalyOSError(f"{path!r} is not the path of a stored file.")
        root = self.root.resolve()
        absolute = (root / path).resolve()
        if not absolute.is_relative_to(root):
            raise AnomalyOSError(f"{path!r} leads out of the object store.")
        return absolute

    def remove_stale_temporaries(self, older_than_hours: float = 24) -> int:
        """Delete what killed processes left half written; returns how many files went."""
        limit = time.time() - older_than_hours * 3600
        removed = 0
        for file in (self.root / _TEMPORARY).glob("*"):
            try:
                if file.stat().st_mtime < limit:
                    file.unlink()
                    removed += 1
            except FileNotFoundError:  # its writer finished, or another process swept it first
                continue
        return removed

    def _write(self, target: Path, data: bytes) -> None:
        temporary = self.root / _TEMPORARY / secrets.token_hex(16)
        for folder in (temporary.parent, target.parent):
            folder.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(data)
            sync(temporary)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
        # the names must reach the disk too, up to the root, or a power cut forgets a new folder
        for folder in (target.parent, target.parent.parent, self.root):
            sync(folder)
