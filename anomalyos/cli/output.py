"""What every command shares: progress on stderr, results on stdout, errors with the next step."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer.core

from anomalyos.core.errors import AnomalyOSError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

EXIT_DONE = 0
EXIT_REJECTED = 1
EXIT_COULD_NOT_RUN = 2


class FriendlyGroup(typer.core.TyperGroup):
    """Turns the platform's own errors into two readable lines and exit code 2."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except AnomalyOSError as error:
            console = stderr_console()
            console.print(f"[bold red]✗[/] {error.message}", highlight=False)
            if error.hint:
                console.print(f"  {error.hint}", highlight=False)
            raise SystemExit(EXIT_COULD_NOT_RUN) from error


def stderr_console() -> Console:
    """Rich console on stderr, so stdout carries nothing but results."""
    from rich.console import Console

    return Console(stderr=True)


def stdout_console() -> Console:
    from rich.console import Console

    return Console()


def print_json(document: Any) -> None:
    """One JSON document on stdout and nothing else; NaN is refused rather than written."""
    sys.stdout.write(json.dumps(document, indent=2, allow_nan=False, default=str) + "\n")


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A rich progress display on stderr with counts and the time left."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=stderr_console(), transient=False) as progress:
        yield progress
