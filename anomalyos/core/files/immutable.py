"""Immutable folders: written in one step, never changed, held against their hashes when read."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anomalyos.core.errors import BundleError
from anomalyos.core.files.hashing import file_sha256
from anomalyos.core.files.writing import sync

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class ImmutableDir:
    """One kind of immutable folder, and how its errors speak of it."""

    kind: str
    """``bundle``"""
    format: int
    chosen: str
    """What was done to the one that is expected: ``promoted``."""
    hint: str
    """What to do about a broken one."""

    def write(self, target: Path, fill: Callable[[Path], None], facts: dict[str, Any]) -> str:
        """Make ``target`` in one step: there is a whole folder afterwards, or none.

        Args:
            fill: writes the files into the folder it is given.
            facts: what the manifest records beside format and files.

        Returns:
            SHA-256 of the manifest. A whole folder that already lies at ``target`` is kept.

        Raises:
            BundleError: something damaged lies at ``target``.
        """
        target.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".writing-", dir=target.parent))
        try:
            fill(staging)
            files = {
                path.name: {"sha256": file_sha256(path), "bytes": path.stat().st_size}
                for path in sorted(staging.iterdir())
            }
            manifest = {**facts, "format": self.format, "files": files}
            text = json.dumps(manifest, indent=1, sort_keys=True, allow_nan=False)
            (staging / MANIFEST).write_text(text, encoding="utf-8")
            for path in staging.iterdir():
                sync(path)
            staging.chmod(0o755)
            try:
                staging.rename(target)
            except OSError:
                # another process, or an earlier run that was killed, finished the same folder first
                return hashlib.sha256(self.read(target)).hexdigest()
            sync(target.parent)
            return hashlib.sha256(text.encode()).hexdigest()
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def read(self, folder: Path, expected_sha256: str | None = None) -> bytes:
        """The manifest as it was written, after every file was held against it.

        Raises:
            BundleError: for a missing, changed or additional file, another format, or a manifest other than
                the one expected.
        """
        text, files = self._manifest(folder, expected_sha256)
        present = {path.name for path in folder.iterdir()} - {MANIFEST}
        if present != set(files):
            odd = ", ".join(sorted(present ^ set(files)))
            raise BundleError(f"The {self.kind} {folder.name} lacks or adds files: {odd}.", self.hint)
        for file, entry in files.items():
            if file_sha256(folder / file) != entry["sha256"]:
                raise self._damaged(folder, file)
        return text

    def read_files(
        self, folder: Path, names: Sequence[str], expected_sha256: str | None = None
    ) -> list[bytes]:
        """Some small files of a folder, each held against the manifest; the others are not looked at.

        Raises:
            BundleError: for a manifest as in :meth:`read`, and for one of these files missing or changed.
        """
        _, files = self._manifest(folder, expected_sha256)
        contents = []
        for name in names:
            try:
                data = (folder / name).read_bytes()
            except OSError as error:
                raise self._damaged(folder, name) from error
            if name not in files or hashlib.sha256(data).hexdigest() != files[name]["sha256"]:
                raise self._damaged(folder, name)
            contents.append(data)
        return contents

    def _manifest(self, folder: Path, expected_sha256: str | None) -> tuple[bytes, dict[str, dict[str, Any]]]:
        """Its text, and what it says of each file."""
        name = f"The {self.kind} {folder.name}"
        try:
            text = (folder / MANIFEST).read_bytes()
            manifest = json.loads(text)
            files: dict[str, dict[str, Any]] = manifest["files"]
            if manifest["format"] != self.format:
                found = manifest["format"]
                raise BundleError(f"{name} has the format {found}, not {self.format}.", self.hint)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BundleError(f"{name} has no readable manifest.", self.hint) from error
        if expected_sha256 is not None and hashlib.sha256(text).hexdigest() != expected_sha256:
            raise BundleError(f"{name} is not the one that was {self.chosen}.", self.hint)
        return text, files

    def _damaged(self, folder: Path, file: str) -> BundleError:
        return BundleError(f"{file} in the {self.kind} {folder.name} was changed or damaged.", self.hint)


def install(source: Path, target: Path) -> None:
    """Copy a folder of this kind in one step; something damaged at its place moves aside."""
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".writing-", dir=target.parent))
    try:
        for file in source.iterdir():
            shutil.copyfile(file, staging / file.name)
        staging.chmod(0o755)
        if target.exists():
            target.rename(staging.with_name(f".replaced-{staging.name[9:]}"))
        staging.rename(target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
