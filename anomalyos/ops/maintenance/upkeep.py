"""One round of maintenance: backup first, then everything that removes, then the database itself."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

from anomalyos.core.progress import StepProgress
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.ops.maintenance.backup import make_backup, prune_backups
from anomalyos.ops.maintenance.orphans import sweep_orphans
from anomalyos.ops.maintenance.retention import apply_retention

STEPS = ("backup", "retention", "orphans", "vacuum")


def maintain(
    settings: Settings,
    store: Store,
    *,
    dry_run: bool = False,
    progress: StepProgress | None = None,
) -> dict[str, Any]:
    """All steps in their order; each is safe to run alone, to kill and to run again.

    Returns:
        JSON-able: ``dry_run`` and a report for each of ``STEPS``.
    """
    report: dict[str, Any] = {"dry_run": dry_run}
    for done, step in enumerate(STEPS):
        if progress is not None:
            progress(step, done, len(STEPS))
        report[step] = run_step(step, settings, store, dry_run=dry_run)
    if progress is not None:
        progress("done", len(STEPS), len(STEPS))
    return report


def run_step(step: str, settings: Settings, store: Store, *, dry_run: bool = False) -> dict[str, Any]:
    """One of ``STEPS``; JSON-able."""
    if step == "backup":
        made = None if dry_run else make_backup(settings, store)
        return {"made": made and made["file"], "pruned": prune_backups(settings, dry_run=dry_run)}
    if step == "retention":
        return apply_retention(settings, store, dry_run=dry_run)
    if step == "orphans":
        return sweep_orphans(settings, store, dry_run=dry_run)
    if step == "vacuum":
        return vacuum(store, dry_run=dry_run)
    raise ValueError(f"{step!r} is not a step of maintenance")


def vacuum(store: Store, *, dry_run: bool = False) -> dict[str, Any]:
    """Give freed pages back and renew the planner's statistics.

    Returns:
        ``done``, and where somebody kept SQLite busy ``reason``: the next round does it.
    """
    if dry_run:
        return {"done": False, "reason": "dry run"}
    if store.url.get_backend_name() != "sqlite":
        with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM (ANALYZE)")
        return {"done": True}
    with closing(sqlite3.connect(str(store.url.database), timeout=10, isolation_level=None)) as connection:
        try:
            connection.execute("ANALYZE")
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            return {"done": False, "reason": "The database is in use; the next round will do it."}
    return {"done": True}
