"""``anomalyos nightly``: a night without Airflow."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from anomalyos.cli.output import EXIT_REJECTED, print_json, progress_bar, stdout_console
from anomalyos.core.settings import get_settings
from anomalyos.db.engine import open_store
from anomalyos.inspection.nightly import run_night
from anomalyos.inspection.nights import night_of


def register(app: typer.Typer) -> None:
    app.command()(nightly)


def nightly(
    day: Annotated[
        str | None,
        typer.Option("--date", metavar="YYYY-MM-DD", help="Folder of the inbox; today's when left out."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Inspect the images of one night. Running it again continues and adds nothing twice."""
    settings = get_settings()
    store = open_store(settings)
    store.upgrade()
    day = night_of(day, datetime.now().astimezone(), scheduled=False)
    with progress_bar() as progress:
        bar = progress.add_task(f"Night {day}", total=None)
        summary = run_night(
            settings, store, day, lambda done, total: progress.update(bar, completed=done, total=total)
        )
    if as_json:
        print_json(summary)
    else:
        _show(summary, settings.console_url)
    if summary["rejected"]:
        raise typer.Exit(EXIT_REJECTED)


def _show(summary: dict[str, object], console_url: str) -> None:
    from rich.table import Table

    table = Table("", "images", title=f"Night {summary['day']}", title_justify="left")
    for name in ("normal", "anomalous", "unknown_category", "rejected", "undecided", "total", "expected"):
        table.add_row(name.replace("_", " "), str(summary[name]))
    terminal = stdout_console()
    terminal.print(table)
    terminal.print(f"Review: {console_url}/?batch={summary['batch']}", highlight=False)
