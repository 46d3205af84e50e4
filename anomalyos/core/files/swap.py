"""Putting a bundle where it belongs, whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path


def place(source: Path, target: Path) -> None:
    """Copy a bundle in one step; something damaged at its place moves aside."""
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
