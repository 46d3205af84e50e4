"""``anomalyos rebuild``: learn normal, calibrate, evaluate, gate, promote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from anomalyos.cli.output import EXIT_COULD_NOT_RUN, print_json, progress_bar, stdout_console

if TYPE_CHECKING:
    from rich.progress import Progress

    from anomalyos.rebuild import Progress as StageProgress

STAGE_WORDS = {
    "learn": "reading images",
    "calibrate": "calibrating",
    "coreset": "filling the memory bank",
    "evaluate": "evaluating",
}


def register(app: typer.Typer) -> None:
    app.command(name="rebuild")(rebuild)


def rebuild(
    category: Annotated[list[str] | None, typer.Option(help="Only this category; may be repeated.")] = None,
    force: Annotated[bool, typer.Option(help="Make a new version although nothing changed.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Rebuild memory banks and promote those that pass the gate."""
    from anomalyos.rebuild_plan import choose_categories
    from anomalyos.settings import get_settings
    from anomalyos.store.engine import open_store

    settings = get_settings()
    store = open_store(settings)
    store.upgrade()
    names = choose_categories(settings, category or [])
    with progress_bar() as bar:
        results = [rebuild_one(name, bar, force) for name in names]
    failed = [result for result in results if "error" in result]
    if as_json:
        print_json({"categories": results})
    else:
        print_results(results)
    if failed:
        raise typer.Exit(EXIT_COULD_NOT_RUN)


def rebuild_one(name: str, bar: Progress, force: bool = False) -> dict[str, Any]:
    """Rebuild one category with a line of progress; a failure is part of the result."""
    from anomalyos.errors import AnomalyOSError
    from anomalyos.rebuild import rebuild_category
    from anomalyos.settings import get_settings
    from anomalyos.store.engine import open_store

    settings = get_settings()
    try:
        return rebuild_category(
            name, settings, open_store(settings), force=force, progress=stage_line(name, bar)
        )
    except AnomalyOSError as error:
        bar.console.print(f"[red]✗[/] {name}: {error.message} {error.hint}", highlight=False)
        return {"category": name, "error": str(error)}


def stage_line(name: str, bar: Progress) -> StageProgress:
    """A progress callback that shows all stages of one category on one line."""
    line = bar.add_task(f"{name}: starting", total=None)

    def show(stage: str, done: int, total: int) -> None:
        bar.update(line, description=f"{name}: {STAGE_WORDS[stage]}", completed=done, total=total)

    return show


def print_results(results: list[dict[str, Any]]) -> None:
    from rich.table import Table

    table = Table("category", "version", "champion", "AUROC", "gate", "seconds")
    for result in results:
        if "error" in result:
            table.add_row(result["category"], "-", "-", "-", result["error"], "-")
            continue
        auroc = result["metrics"].get("image_auroc")
        table.add_row(
            result["category"],
            f"v{result['version']}" + ("" if result["created"] else " (unchanged)"),
            "promoted" if result["promoted"] else "as before",
            "-" if auroc is None else f"{auroc:.4f}",
            result["gate"]["reason"],
            f"{result['seconds']:.1f}",
        )
    stdout_console().print(table)
