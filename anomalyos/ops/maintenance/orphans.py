"""Files and bundles that no row names: what killed jobs and retention leave behind."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.ops.maintenance import named_files
from anomalyos.ops.maintenance.retention import EXPIRED

SWEPT = ".swept"
"""Folder under ``objects`` that orphans wait in before they go for good."""
LEFTOVERS = (".writing-", ".replaced-", EXPIRED)
"""Beginnings of the names of unfinished and discarded bundles."""


def sweep_orphans(
    settings: Settings, store: Store, *, dry_run: bool = False, now: float | None = None
) -> dict[str, Any]:
    """Set aside what is older than ``orphan_age_hours`` and named by no row; remove it one such age later.

    A job writes its files long before their rows, and may meet a file that is there already; storing it
    again makes it young. What was set aside and is named after all comes back.

    Returns:
        ``objects`` and ``object_bytes`` set aside, ``removed`` for good, ``restored``, ``bundles`` removed
        (relative paths); of a dry run what would be.
    """
    limit = (now or time.time()) - settings.orphan_age_hours * 3600
    named = _named_objects(settings, store)
    root = store.objects.root
    report: dict[str, Any] = {"restored": 0, "removed": 0, "objects": 0, "object_bytes": 0}
    for file in _files(root / SWEPT):
        relative = file.relative_to(root / SWEPT).as_posix()
        if relative in named:
            report["restored"] += 1
            if not dry_run:
                _move(file, root / relative)
        elif file.stat().st_mtime < limit:
            report["removed"] += 1
            if not dry_run:
                file.unlink(missing_ok=True)
    for file in _files(root):
        relative = file.relative_to(root).as_posix()
        if relative.startswith(".") or relative in named:
            continue
        with contextlib.suppress(FileNotFoundError):
            state = file.stat()
            if state.st_mtime < limit:
                report["objects"] += 1
                report["object_bytes"] += state.st_size
                if not dry_run:
                    _move(file, root / SWEPT / relative)
                    # its second wait begins now
                    os.utime(root / SWEPT / relative)
    if not dry_run and report["objects"]:
        # a row may have come in the meantime
        for relative in _named_objects(settings, store):
            if (root / SWEPT / relative).is_file():
                _move(root / SWEPT / relative, root / relative)
                report["restored"] += 1
    if not dry_run:
        store.objects.remove_stale_temporaries(settings.orphan_age_hours)
    return {**report, "bundles": _sweep_bundles(settings, store, limit, dry_run)}


def _named_objects(settings: Settings, store: Store) -> set[str]:
    """Objects named by rows, or by the manifest of a bundle that learned from them."""
    with store.session(read_only=True) as session:
        named = named_files.objects(session)
    for manifest in settings.bundles_dir.glob("*/*/manifest.json"):
        with contextlib.suppress(FileNotFoundError):
            named.update(named_files.OBJECT.findall(manifest.read_text(encoding="utf-8")))
    return named


def _sweep_bundles(settings: Settings, store: Store, limit: float, dry_run: bool) -> list[str]:
    root = settings.bundles_dir
    old = [folder for folder in sorted(root.glob("*/*")) if _is_bundle(folder) and _newest(folder) < limit]
    if not old:
        return []
    # asked after looking at the files: a row that came in between is seen
    with store.session(read_only=True) as session:
        named = named_files.places(session)
    gone = []
    for folder in old:
        relative = folder.relative_to(root).as_posix()
        if relative in named or _newest(folder) >= limit:
            continue
        gone.append(relative)
        if not dry_run:
            aside = folder.with_name(f"{EXPIRED}{folder.name}")
            folder.rename(aside)
            shutil.rmtree(aside, ignore_errors=True)
    return gone


def _is_bundle(folder: Path) -> bool:
    """A bundle, or what is left of one; anything else in there is not ours to remove."""
    if not folder.is_dir() or folder.is_symlink():
        return False
    if folder.name.startswith(LEFTOVERS):
        return True
    try:
        return "files" in json.loads((folder / "manifest.json").read_bytes())
    except (OSError, ValueError, TypeError):
        return False


def _newest(folder: Path) -> float:
    times = [folder.stat().st_mtime]
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            times.append(path.stat().st_mtime)
    return max(times)


def _files(root: Path) -> list[Path]:
    """Objects under ``root``, in order; folders with a dot are looked into only when asked for."""
    found = []
    for folder in sorted(root.glob("[0-9a-f][0-9a-f]")):
        found += [file for file in sorted(folder.glob("*/*")) if file.is_file()]
    return found


def _move(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        source.replace(target)
