"""What the person in front of `anomalyos up` sees while things come up."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

PLAIN_STEPS = 4
"""Without a terminal, a stage is reported this often on its way and once at its end."""


class Display:
    """One bar a stage on a terminal; a line now and then everywhere else (logs, pipes)."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.started = time.monotonic()
        self._progress: Progress | None = None
        self._bars: dict[str, TaskID] = {}
        self._reported: dict[str, int] = {}

    def __enter__(self) -> Display:
        if self.console.is_terminal:
            self._progress = _bars(self.console)
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    def stage(self, name: str, done: int, total: int, detail: str = "") -> None:
        """Show that ``done`` of ``total`` parts of a stage are finished, and what is in hand."""
        if self._progress is None:
            self._plain(name, done, total, detail)
            return
        if name not in self._bars:
            self._bars[name] = self._progress.add_task(name, total=total, detail=detail)
        self._progress.update(self._bars[name], completed=done, total=total, detail=detail)

    def say(self, text: str) -> None:
        """One line above the bars."""
        self.console.print(text, highlight=False, markup=True, soft_wrap=True)

    def _plain(self, name: str, done: int, total: int, detail: str) -> None:
        step = PLAIN_STEPS if total <= 0 or done >= total else done * PLAIN_STEPS // total
        if self._reported.get(name) == step:
            return
        self._reported[name] = step
        rest = f": {detail}" if detail and done < total else ""
        self.say(rf"\[{self.seconds:4.0f} s] {name} {done}/{total}{rest}")


def _bars(console: Console) -> Progress:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    return Progress(
        SpinnerColumn(finished_text="[green]✓[/]"),
        TextColumn("{task.description:<16}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[detail]}[/]"),
        console=console,
    )
