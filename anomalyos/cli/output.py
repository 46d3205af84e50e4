"""What every command shares: progress on stderr, results on stdout, errors with the next step."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer.core

from anomalyos.core.errors import AnomalyOSError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Column

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


def answer(as_json: bool, document: Any, in_words: str | Callable[[], None]) -> None:
    """A command's result: ``document`` for programs; for people a sentence, or what ``in_words`` prints."""
    if as_json:
        print_json(document)
    elif isinstance(in_words, str):
        stdout_console().print(in_words)
    else:
        in_words()


def print_table(columns: Iterable[Column | str], rows: Iterable[Iterable[str]], **look: Any) -> None:
    """Rows of text, with rich's markup, under ``columns``; ``look`` goes to rich's table."""
    from rich.table import Table

    table = Table(*columns, **look)
    for row in rows:
        table.add_row(*row)
    stdout_console().print(table)


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


def counted(bar: Progress, description: str) -> Callable[[int, int], None]:
    """A new line of the display, as a callback with (done, total)."""
    line = bar.add_task(description, total=None)

    def show(done: int, total: int) -> None:
        bar.update(line, completed=done, total=total)

    return show


@contextmanager
def counting(description: str) -> Iterator[Callable[[int, int], None]]:
    """A display with one line; gives its callback."""
    with progress_bar() as bar:
        yield counted(bar, description)


def figure(value: float | None, digits: int = 4) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
