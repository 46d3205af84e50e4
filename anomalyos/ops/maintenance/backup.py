"""Backups of the database, proved readable when they are made, and the way back."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anomalyos.core.errors import AnomalyOSError, Conflict, NotFound
from anomalyos.core.files.hashing import file_sha256
from anomalyos.core.files.writing import draft, write_text
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.db.migrate import head_revision
from anomalyos.ops.supervisor.up import only_one

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

FORMAT = "anomalyos-backup-1"
PATIENCE_S = 6 * 3600


class BackupFailed(AnomalyOSError):
    """A backup that could not be made, read or restored; the database is as it was."""


def make_backup(settings: Settings, store: Store) -> dict[str, Any]:
    """Copy the database to ``backups_dir`` while it is in use, prove that the copy can be read, describe it.

    The description is written last: a backup without one was never finished. Files are not in it: objects and
    bundles never change once written, so any copy of ``home`` made afterwards holds all that is named.

    Returns:
        The description: file, backend, migration, rows per table, bytes, sha256, made_at.

    Raises:
        BackupFailed: the copy is damaged, or the server's tools are missing or refuse.
    """
    store.check()
    settings.backups_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    made_at = datetime.now(UTC)
    sqlite = store.url.get_backend_name() == "sqlite"
    target = settings.backups_dir / f"{made_at:%Y%m%dT%H%M%S%fZ}.{'db' if sqlite else 'dump'}"
    with draft(target, mode=0o600) as part:
        rows = _copy_sqlite(Path(str(store.url.database)), part) if sqlite else _dump(store, part)
        description = {
            "format": FORMAT,
            "file": target.name,
            "backend": store.url.get_backend_name(),
            "migration": head_revision(),
            "rows": rows,
            "bytes": part.stat().st_size,
            "sha256": file_sha256(part),
            "made_at": made_at.isoformat(),
        }
    write_text(target.with_suffix(".json"), json.dumps(description, indent=1))
    return description


def list_backups(settings: Settings) -> list[dict[str, Any]]:
    """Descriptions of finished backups, newest first."""
    found = []
    for note in sorted(settings.backups_dir.glob("[0-9]*.json"), reverse=True):
        try:
            description = json.loads(note.read_bytes())
        except ValueError:
            continue
        if isinstance(description, dict) and description.get("format") == FORMAT:
            found.append(description)
    return found


def prune_backups(settings: Settings, *, dry_run: bool = False) -> list[str]:
    """Remove all but the ``keep_backups`` newest, and what was never finished; names of what went."""
    backups = list_backups(settings)
    kept = {entry["file"] for entry in backups[: settings.keep_backups]}
    newest = backups[0]["file"] if backups else ""
    gone = []
    for file in sorted(settings.backups_dir.glob("[0-9]*")):
        # one that is newer than the newest description may be about to be described
        if file.suffix not in {".db", ".dump"} or file.name in kept or file.name > newest:
            continue
        gone.append(file.name)
        if not dry_run:
            file.with_suffix(".json").unlink(missing_ok=True)
            file.unlink()
    return gone


def restore_backup(settings: Settings, store: Store, name: str = "") -> dict[str, Any]:
    """Put a backup in the place of the database, whole or not at all, and bring it to today's migration.

    What is there now is backed up first. Stop Airflow and the console before: rows they hold in memory would
    be of another past.

    Args:
        name: file of the backup; the newest when empty.

    Returns:
        The backup's description, and as ``before`` the name of the backup of what was replaced.

    Raises:
        NotFound: no such backup.
        BackupFailed: it was changed since it was made, is of another kind of database, or cannot be read.
        Conflict: `anomalyos up` runs on this home.
    """
    found = [entry for entry in list_backups(settings) if not name or entry["file"] == name]
    if not found:
        raise NotFound(
            f"There is no backup {name or 'yet'} in {settings.backups_dir}.", "See 'anomalyos backup list'."
        )
    chosen = found[0]
    file = settings.backups_dir / chosen["file"]
    if not file.is_file() or file_sha256(file) != chosen["sha256"]:
        raise BackupFailed(f"{file.name} was damaged or changed since it was made.", "Take another backup.")
    if chosen["backend"] != store.url.get_backend_name():
        raise BackupFailed(
            f"{file.name} is of {chosen['backend']}, the database is {store.url.get_backend_name()}.",
            "Set ANOMALYOS_DATABASE_URL to the kind of database it was made from.",
        )
    with _nobody_is_up(settings):
        before = make_backup(settings, store)["file"] if _has_schema(store) else ""
        store.close()
        if chosen["backend"] == "sqlite":
            _restore_sqlite(file, Path(str(store.url.database)))
        else:
            _restore_dump(store.url, file)
        store.upgrade()
    return {**chosen, "before": before}


def _has_schema(store: Store) -> bool:
    try:
        store.check()
    except AnomalyOSError:
        return False
    return True


def _copy_sqlite(source: Path, target: Path) -> dict[str, int]:
    """One moment of the database as one file, then everything a restore would trip over; rows per table."""
    with closing(sqlite3.connect(source)) as live:
        live.execute("VACUUM INTO ?", (str(target),))
    with closing(sqlite3.connect(target)) as copy:
        return _examine_sqlite(copy)


def _examine_sqlite(copy: sqlite3.Connection) -> dict[str, int]:
    try:
        verdict = copy.execute("PRAGMA integrity_check").fetchone()[0]
        broken = copy.execute("PRAGMA foreign_key_check").fetchall()
        names = [row[0] for row in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = {name: copy.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}  # noqa: S608
    except sqlite3.DatabaseError as error:
        raise BackupFailed(f"The copy cannot be read: {error}.", "Check the disk, then try again.") from error
    if verdict != "ok" or broken:
        raise BackupFailed(
            f"The database is damaged: {verdict}, {len(broken)} broken references.",
            "Restore an earlier backup with 'anomalyos restore'.",
        )
    return rows


def _restore_sqlite(file: Path, target: Path) -> None:
    """Backwards through the same door: one transaction of the target, rolled back when it is killed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(file)) as backup, closing(sqlite3.connect(target, timeout=30)) as live:
        _examine_sqlite(backup)
        try:
            backup.backup(live)
        except sqlite3.Error as error:
            raise BackupFailed(
                f"{file.name} could not be put back: {error}.", "Stop whatever uses it."
            ) from error
        live.execute("PRAGMA journal_mode = WAL")
    target.chmod(0o600)


def _dump(store: Store, target: Path) -> dict[str, int]:
    """``pg_dump`` in its own format, read back to its end; rows per table at about the same moment."""
    from sqlalchemy import func, select
    from sqlmodel import SQLModel

    _run_tool("pg_dump", store.url, "--format=custom", "--no-owner", "--no-privileges", f"--file={target}")
    _run_tool("pg_restore", None, f"--file={os.devnull}", str(target))
    with store.session(read_only=True) as session:
        counts = {
            table.name: session.connection().execute(select(func.count()).select_from(table)).scalar_one()
            for table in SQLModel.metadata.sorted_tables
        }
    return {name: int(count) for name, count in counts.items()}


def _restore_dump(url: URL, file: Path) -> None:
    options = ("--clean", "--if-exists", "--single-transaction", "--no-owner", "--no-privileges")
    _run_tool("pg_restore", url, *options, f"--dbname={url.database}", str(file))


def _run_tool(tool: str, url: URL | None, *arguments: str) -> None:
    """One of PostgreSQL's own programs; the password goes through the environment, never the command line."""
    program = shutil.which(tool)
    if program is None:
        raise BackupFailed(
            f"{tool} is not installed.",
            "Install PostgreSQL's client programs, at least as new as the server.",
        )
    environment = {**os.environ, **(_connection(url) if url is not None else {})}
    done = subprocess.run(
        [program, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    if done.returncode:
        raise BackupFailed(f"{tool} failed: {done.stderr.strip()[-600:]}", "The database was not changed.")


def _connection(url: URL) -> dict[str, str]:
    """libpq's environment for a URL; options such as sslmode keep their meaning."""
    host = url.host or url.query.get("host")
    values = {
        "PGHOST": host,
        "PGPORT": url.port,
        "PGUSER": url.username,
        "PGPASSWORD": url.password,
        "PGDATABASE": url.database,
        "PGSSLMODE": url.query.get("sslmode"),
    }
    return {name: str(value) for name, value in values.items() if value}


@contextmanager
def _nobody_is_up(settings: Settings) -> Iterator[None]:
    with ExitStack() as stack:
        try:
            stack.enter_context(only_one(settings))
        except AnomalyOSError as error:
            raise Conflict("AnomalyOS is running on this database.", "Stop it, then restore.") from error
        yield
