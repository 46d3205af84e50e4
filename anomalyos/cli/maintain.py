"""``anomalyos maintain``, ``backup`` and ``restore``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from anomalyos.cli.output import (
    EXIT_COULD_NOT_RUN,
    FriendlyGroup,
    answer,
    progress_bar,
    stderr_console,
    stdout_console,
)
from anomalyos.cli.shared import JsonOption, ready_store
from anomalyos.core.settings import get_settings
from anomalyos.db.engine import open_store
from anomalyos.ops.maintenance.backup import list_backups, make_backup, restore_backup
from anomalyos.ops.maintenance.upkeep import maintain as round_of

backup = typer.Typer(cls=FriendlyGroup, no_args_is_help=True, help="Copies of the database.")


def maintain(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, change nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Back up the database, apply retention, sweep files no row names, vacuum."""
    with progress_bar() as bar:
        line = bar.add_task("maintenance", total=None)
        report = round_of(
            get_settings(),
            ready_store(),
            dry_run=dry_run,
            progress=lambda step, done, total: bar.update(
                line, description=step, completed=done, total=total
            ),
        )
    answer(as_json, report, lambda: print_lines(sentences(report)))


def print_lines(lines: list[str]) -> None:
    for line in lines:
        stdout_console().print(line, markup=False, highlight=False)


def sentences(report: dict[str, Any]) -> list[str]:
    """The report in words."""
    went = "would go" if report["dry_run"] else "went"
    backup, kept, orphans = report["backup"], report["retention"], report["orphans"]
    made = f"made {backup['made']}" if backup["made"] else "none made, this is a dry run"
    vacuumed = "done" if report["vacuum"]["done"] else f"not done: {report['vacuum']['reason']}"
    return [
        f"Backup: {made}; {len(backup['pruned'])} old ones {went}.",
        f"Retention: {kept['photographs']} photographs of normal parts {went}; files of "
        f"{', '.join(kept['versions']) or 'no model version'} {went}.",
        f"Orphans: {orphans['objects']} files ({orphans['object_bytes'] / 2**20:.1f} MiB) set aside, "
        f"{orphans['removed']} removed for good, {orphans['restored']} brought back, "
        f"{len(orphans['bundles'])} bundles {went}.",
        f"Vacuum: {vacuumed}.",
    ]


@backup.command("create")
def create(as_json: JsonOption = False) -> None:
    """Copy the database while it is in use, and prove that the copy can be read."""
    settings = get_settings()
    with stderr_console().status("copying the database"):
        made = make_backup(settings, ready_store())
    where = settings.backups_dir / made["file"]
    answer(as_json, made, f"{where}: {sum(made['rows'].values()):,} rows, {made['bytes']:,} bytes.")


@backup.command("list")
def list_all(as_json: JsonOption = False) -> None:
    """Finished backups, newest first."""
    found = list_backups(get_settings())
    lines = [f"{row['file']}  {row['backend']}  {sum(row['rows'].values()):,} rows" for row in found]
    none = ["There is no backup yet. Make one with 'anomalyos backup create'."]
    answer(as_json, {"backups": found}, lambda: print_lines(lines or none))


def restore(
    name: Annotated[str, typer.Argument(help="File, as `backup list` shows it; the newest without.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Put a backup in the place of the database. What is there now is backed up first."""
    settings = get_settings()
    question = f"Replace the database by {name or 'the newest backup'}?"
    if not yes and not typer.confirm(question, err=True):
        raise typer.Exit(EXIT_COULD_NOT_RUN)
    with stderr_console().status("restoring"):
        done = restore_backup(settings, open_store(settings), name)
    lines = [f"The database is that of {done['made_at']}."]
    lines += [f"What was there before is kept as {done['before']}."] if done["before"] else []
    answer(as_json, done, lambda: print_lines(lines))
