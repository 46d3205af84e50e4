"""``anomalyos nightly``: a night without Airflow."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from anomalyos.cli.output import EXIT_REJECTED, answer, counting, print_table, stdout_console
from anomalyos.cli.shared import JsonOption, ready_store
from anomalyos.core.settings import get_settings
from anomalyos.inspection.nightly import run_night
from anomalyos.inspection.nights import night_of


def nightly(
    day: Annotated[
        str | None,
        typer.Option("--date", metavar="YYYY-MM-DD", help="Folder of the inbox; today's when left out."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Inspect the images of one night. Running it again continues and adds nothing twice."""
    settings, store = get_settings(), ready_store()
    day = night_of(day, datetime.now().astimezone(), scheduled=False)
    with counting(f"Night {day}") as progress:
        summary = run_night(settings, store, day, progress)
    answer(as_json, summary, lambda: _show(summary, settings.console_url))
    if summary["rejected"]:
        raise typer.Exit(EXIT_REJECTED)


def _show(summary: dict[str, object], console_url: str) -> None:
    names = ("normal", "anomalous", "unknown_category", "rejected", "undecided", "total", "expected")
    rows = ((name.replace("_", " "), str(summary[name])) for name in names)
    print_table(("", "images"), rows, title=f"Night {summary['day']}", title_justify="left")
    stdout_console().print(f"Review: {console_url}/?batch={summary['batch']}", highlight=False)
