"""``anomalyos up``, ``airflow``, ``doctor`` and ``db upgrade``."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from anomalyos.cli.output import EXIT_COULD_NOT_RUN, FriendlyGroup, answer, stderr_console, stdout_console
from anomalyos.cli.shared import JsonOption, ready_store
from anomalyos.core.settings import get_settings
from anomalyos.ops.doctor import Check, examine
from anomalyos.ops.supervisor.airflow_env import airflow_command, airflow_environment
from anomalyos.ops.supervisor.banner import show_banner
from anomalyos.ops.supervisor.display import Display
from anomalyos.ops.supervisor.up import Supervisor

db = typer.Typer(name="db", cls=FriendlyGroup, no_args_is_help=True, help="The database.")


def up(
    sample: Annotated[
        bool, typer.Option(help="Draw sample products and a sample night when there is no product yet.")
    ] = True,
) -> None:
    """Start Airflow and the console, prepare what is missing; Ctrl-C stops everything."""
    settings = get_settings()
    settings.check_production()
    with Display(stderr_console()) as display:
        Supervisor(settings, display, sample=sample).run(show_banner)
        display.say("Everything has stopped.")


def airflow(context: typer.Context) -> None:
    """Run Airflow's own command line in this installation's environment: `anomalyos airflow dags list`."""
    environment = airflow_environment(get_settings())
    os.execve(sys.executable, airflow_command(*context.args), environment)  # noqa: S606 - arguments, no shell


def doctor(as_json: JsonOption = False) -> None:
    """Check that everything the platform needs is there, and say what to do about what is not."""
    checks = examine(get_settings())
    healthy = all(check.ok for check in checks)
    document = {"healthy": healthy, "checks": [check.as_dict() for check in checks]}
    answer(as_json, document, lambda: print_checks(checks))
    if not healthy:
        raise typer.Exit(EXIT_COULD_NOT_RUN)


def print_checks(checks: list[Check]) -> None:
    terminal = stdout_console()
    for check in checks:
        mark = "[green]✓[/]" if check.ok else "[bold red]✗[/]"
        terminal.print(f"{mark} [bold]{check.name}[/]: {check.finding}", highlight=False)
        if check.advice:
            terminal.print(f"    → {check.advice}", highlight=False)


@db.command()
def upgrade() -> None:
    """Create the database, or bring it to the newest schema."""
    ready_store()
    stderr_console().print("The database is at the newest schema.")
