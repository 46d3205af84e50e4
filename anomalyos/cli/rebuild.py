"""``anomalyos rebuild``: learn normal, calibrate, evaluate, gate, promote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from anomalyos.cli.output import EXIT_COULD_NOT_RUN, print_json, progress_bar, stdout_console
from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.settings import get_settings
from anomalyos.db.engine import open_store
from anomalyos.learning.case_base import refresh_case_base
from anomalyos.learning.rebuild import Progress as StageProgress
from anomalyos.learning.retraining import outcome, retrain_category
from anomalyos.products.selection import choose_categories

if TYPE_CHECKING:
    from rich.progress import Progress

STAGE_WORDS = {
    "check": "checking images",
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
    recipe: Annotated[str | None, typer.Option(help="Another registered recipe than the set one.")] = None,
    coreset_ratio: Annotated[
        float | None, typer.Option(help="Share of patches the memory bank keeps, instead of the set one.")
    ] = None,
    alpha: Annotated[
        float | None, typer.Option(help="Promised share of flagged normal parts, instead of the set one.")
    ] = None,
    use_reviewed: Annotated[
        bool, typer.Option(help="Learn from what reviewers called false alarms, too.")
    ] = False,
    dry_run: Annotated[bool, typer.Option(help="Say what would be learned from, and build nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Rebuild memory banks, promote those that pass the gate, and keep all of it in MLflow."""
    settings = get_settings()
    store = open_store(settings)
    store.upgrade()
    names = choose_categories(settings, category or [])
    with progress_bar() as bar:
        values = {
            "force": force,
            "recipe": recipe,
            "coreset_ratio": coreset_ratio,
            "alpha": alpha,
            "use_reviewed": use_reviewed,
            "dry_run": dry_run,
        }
        results = [rebuild_one(name, bar, values) for name in names]
        if not dry_run:
            gather_cases([result["category"] for result in results if "error" not in result], bar)
    failed = [result for result in results if "error" in result]
    if as_json:
        print_json({"categories": results})
    else:
        print_results(results)
    if failed:
        raise typer.Exit(EXIT_COULD_NOT_RUN)


def rebuild_one(name: str, bar: Progress, values: dict[str, Any]) -> dict[str, Any]:
    """Rebuild one category with a line of progress; a failure is part of the result."""
    settings = get_settings()
    try:
        store = open_store(settings)
        return retrain_category(name, settings, store, values, actor="cli", progress=stage_line(name, bar))
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
            lambda done, total, _: bar.update(line, completed=done, total=max(total, 1)),
        )
    except AnomalyOSError as error:
        bar.console.print(f"[red]✗[/] known defects: {error.message} {error.hint}", highlight=False)


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
        if result.get("dry_run"):
            table.add_row(
                result["category"], "-", "dry run", "-", outcome(result), f"{result['seconds']:.1f}"
            )
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
    terminal = stdout_console()
    terminal.print(table)
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
