"""What lies in a night's inbox: ``inbox/DATE/FILE`` or ``inbox/DATE/CATEGORY/FILE``."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from anomalyos.core.errors import AnomalyOSError
from anomalyos.products.dataset import valid_category_name

log = logging.getLogger(__name__)

TEMPORARY_SUFFIXES = frozenset({".part", ".tmp", ".crdownload", ".filepart"})
"""Endings that uploading programs give to files they have not finished."""

SETTLE_SECONDS = 2.0
"""A file must have been left alone for so long before it is taken for complete."""

SETTLE_ROUNDS = 5
"""How often a file that still changes is looked at again before this run leaves it out."""


@dataclass(frozen=True, order=True)
class InboxFile:
    """One delivered file; ``path`` is relative to ``inbox/DATE``."""

    path: str
    category: str | None = None


def scan_inbox(inbox: Path, day: str, settle_seconds: float = SETTLE_SECONDS) -> list[InboxFile]:
    """The files delivered for a day, sorted by path; a missing folder is an empty night.

    Left out, each with a log line: hidden and temporary files, folders below ``CATEGORY/``, names
    that are not UTF-8, links that leave the inbox, pipes and devices. A file whose size or time
    still changes is waited for, ``SETTLE_ROUNDS`` times ``settle_seconds`` at most; if it has not
    come to rest by then this run leaves it out and the next one takes it.
    """
    files = [file for file in _walk(inbox, day) if _acceptable(inbox, day, file)]
    growing = _still_growing(inbox / day, files, settle_seconds)
    for file in growing:
        log.warning("inbox %s: %s is still being written; the next run takes it", day, file.path)
    return sorted(set(files) - growing)


def within_inbox(inbox: Path, relative: str) -> Path:
    """Absolute path of ``relative``, links followed.

    Raises:
        AnomalyOSError: when it lies outside the inbox.
    """
    root = inbox.resolve()
    try:
        target = (root / relative).resolve()
    except (OSError, RuntimeError) as error:
        raise AnomalyOSError(
            f"'{relative}' is a link that leads nowhere.", "Copy the file instead."
        ) from error
    if not target.is_relative_to(root):
        raise AnomalyOSError(f"'{relative}' leads out of the inbox.", "Copy the file instead of linking it.")
    return target


def _walk(inbox: Path, day: str) -> Iterator[InboxFile]:
    folder = inbox / day
    if not folder.is_dir():
        return
    for entry in sorted(folder.iterdir()):
        if _hidden_or_temporary(entry, day):
            continue
        if not entry.is_dir():
            yield InboxFile(entry.name)
        elif not _stays_within(inbox, entry):
            log.warning("inbox %s: folder %r leads out of the inbox; refused", day, entry.name)
        else:
            yield from _walk_category(entry, day)


def _walk_category(folder: Path, day: str) -> Iterator[InboxFile]:
    category: str | None = folder.name
    try:
        valid_category_name(folder.name)
    except AnomalyOSError:
        log.warning("inbox %s: %r is no category name; the router decides", day, folder.name)
        category = None
    for entry in sorted(folder.iterdir()):
        if _hidden_or_temporary(entry, day):
            continue
        if entry.is_dir():
            log.warning("inbox %s: folder %s/%s is too deep; ignored", day, folder.name, entry.name)
            continue
        yield InboxFile(f"{folder.name}/{entry.name}", category)


def _hidden_or_temporary(entry: Path, day: str) -> bool:
    if not entry.name.startswith((".", "~")) and entry.suffix.lower() not in TEMPORARY_SUFFIXES:
        return False
    log.info("inbox %s: %r is hidden or temporary; ignored", day, entry.name)
    return True


def _acceptable(inbox: Path, day: str, file: InboxFile) -> bool:
    path = inbox / day / file.path
    if not _is_utf8(file.path):
        log.warning("inbox %s: the name %r is not UTF-8; refused, rename the file", day, file.path)
        return False
    if not _stays_within(inbox, path):
        log.warning("inbox %s: %s leads out of the inbox; refused", day, file.path)
        return False
    if path.exists() and not path.is_file():
        log.warning("inbox %s: %s is not a regular file; ignored", day, file.path)
        return False
    return True


def _stays_within(inbox: Path, path: Path) -> bool:
    try:
        within_inbox(inbox, str(path.relative_to(inbox)))
    except AnomalyOSError:
        return False
    return True


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _still_growing(folder: Path, files: list[InboxFile], settle_seconds: float) -> set[InboxFile]:
    now = time.time()
    states = {file: _state(folder / file.path) for file in files}
    # a time in the future comes from a camera whose clock is ahead: only watching tells
    fresh = {file for file, (_, changed) in states.items() if changed > now - settle_seconds}
    for _ in range(SETTLE_ROUNDS):
        if not fresh:
            break
        time.sleep(settle_seconds)
        seen = {file: _state(folder / file.path) for file in fresh}
        fresh = {file for file in fresh if seen[file] != states[file]}
        states.update(seen)
    return fresh


def _state(path: Path) -> tuple[int, float]:
    """Size and time of change; a file that cannot be looked at counts as at rest, reading it will tell."""
    try:
        status = path.stat()
    except OSError:
        return (-1, 0.0)
    return (status.st_size, status.st_mtime)
