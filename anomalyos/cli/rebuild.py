"""``anomalyos rebuild``: learn normal, calibrate, evaluate, gate, promote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from anomalyos.cli.form_options import asks
from anomalyos.cli.output import EXIT_COULD_NOT_RUN, answer, figure, print_table, progress_bar, stdout_console
from anomalyos.cli.shared import JsonOption, ready_store
from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.progress import StepProgress
from anomalyos.core.settings import get_settings
from anomalyos.db.engine import open_store
from anomalyos.learning.case_base import refresh_case_base
from anomalyos.learning.options import RebuildOptions
from anomalyos.learning.outcome import rebuild_line
from anomalyos.learning.rebuild import rebuild_category
from anomalyos.products.selection import choose_categories

if TYPE_CHECKING:
    from rich.progress import Progress

STAGE_WORDS = {
    "check": "checking images",
    "tune": "choosing a recipe",
    "learn": "reading images",
    "calibrate": "calibrating",
    "coreset": "filling the memory bank",
    "evaluate": "evaluating",
}


@asks(RebuildOptions, categories="--category")
def rebuild(options: RebuildOptions, as_json: JsonOption = False) -> None:
    """Rebuild memory banks, promote those that pass the gate, and keep all of it in MLflow."""
    settings = get_settings()
    ready_store()
    names = choose_categories(settings, options.categories)
    with progress_bar() as bar:
        results = [rebuild_one(name, bar, options) for name in names]
        if not options.dry_run:
            gather_cases([result["category"] for result in results if "error" not in result], bar)
    answer(as_json, {"categories": results}, lambda: print_results(results))
    if any("error" in result for result in results):
        raise typer.Exit(EXIT_COULD_NOT_RUN)


def rebuild_one(name: str, bar: Progress, options: RebuildOptions) -> dict[str, Any]:
    """Rebuild one category with a line of progress; a failure is part of the result."""
    settings = get_settings()
    line = stage_line(name, bar)
    try:
        return rebuild_category(name, settings, open_store(settings), options, tracked=True, progress=line)
    except AnomalyOSError as error:
        bar.console.print(f"[red]✗[/] {name}: {error.message} {error.hint}", highlight=False)
        return {"category": name, "error": str(error)}


def gather_cases(names: list[str], bar: Progress) -> None:
    """Bring the knowledge graph and the known defects up to date; what fails is said and stops nothing."""
    line = bar.add_task("known defects", total=None)
    settings = get_settings()
    try:
        refresh_case_base(
            names,
            settings,
            open_store(settings),
            lambda _, done, total: bar.update(line, completed=done, total=max(total, 1)),
        )
    except AnomalyOSError as error:
        bar.console.print(f"[red]✗[/] known defects: {error.message} {error.hint}", highlight=False)


def stage_line(name: str, bar: Progress) -> StepProgress:
    """A progress callback that shows all stages of one category on one line."""
    line = bar.add_task(f"{name}: starting", total=None)

    def show(stage: str, done: int, total: int) -> None:
        bar.update(line, description=f"{name}: {STAGE_WORDS[stage]}", completed=done, total=total)

    return show


def print_results(results: list[dict[str, Any]]) -> None:
    print_table(("category", "version", "champion", "AUROC", "gate", "seconds"), map(cells, results))
    terminal = stdout_console()
    for result in results:
        if (result.get("tracking") or {}).get("error"):
            terminal.print(f"{result['category']}: {result['tracking']['error']}", highlight=False)
        if result.get("set_aside"):
            count = len(result["set_aside"])
            terminal.print(
                f"{result['category']}: {count} training image{'s' if count > 1 else ''} set aside; see "
                f"`anomalyos data quarantine list --category {result['category']}`.",
                highlight=False,
            )


def cells(result: dict[str, Any]) -> tuple[str, ...]:
    if "error" in result:
        return result["category"], "-", "-", "-", result["error"], "-"
    seconds = f"{result['seconds']:.1f}"
    if result.get("dry_run"):
        return result["category"], "-", "dry run", "-", rebuild_line(result), seconds
    return (
        result["category"],
        f"v{result['version']}" + ("" if result["created"] else " (unchanged)"),
        "promoted" if result["promoted"] else "as before",
        figure(result["metrics"].get("image_auroc")),
        result["gate"]["reason"],
        seconds,
    )
