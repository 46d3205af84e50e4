"""``anomalyos evaluate-retrieval``: how well known defects are found by their looks."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from anomalyos.cases.evaluation import evaluate_retrieval as evaluate
from anomalyos.cli.output import print_json, progress_bar, stdout_console
from anomalyos.core.settings import get_settings
from anomalyos.db.engine import open_store
from anomalyos.products.selection import choose_categories


def register(app: typer.Typer) -> None:
    app.command(name="evaluate-retrieval")(evaluate_retrieval)


def evaluate_retrieval(
    category: Annotated[list[str] | None, typer.Option(help="Only this category; may be repeated.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Precision of the similar cases, hierarchical against flat, and of the category router."""
    settings = get_settings()
    store = open_store(settings)
    store.upgrade()
    with progress_bar() as bar:
        line = bar.add_task("images", total=None)
        result = evaluate(
            choose_categories(settings, category or []),
            settings,
            store,
            progress=lambda name, done, total: bar.update(
                line, completed=done, total=total, description=name
            ),
        )
        bar.update(line, completed=bar.tasks[0].total, description="done")
    if as_json:
        print_json(result)
    else:
        print_tables(result)


def print_tables(result: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table(
        "set",
        "asked with",
        "search",
        "questions",
        "P@1",
        "P@5",
        "of possible",
        "MRR",
        caption=f"embedder {result['embedder']['name']} · region: where the model looks, as in use · mask: "
        "where the label is · of possible: P@5 divided by the highest it can be",
    )
    for name, kinds in result["sets"].items():
        for kind, parts in kinds.items():
            for mode, row in parts["image"].items():
                if row is not None:
                    figures = (row[key] for key in ("p_at_1", "p_at_5", "p_at_5_of_possible", "mrr"))
                    shown = (f"{figure:.3f}" for figure in figures)
                    table.add_row(name, kind, mode, str(row["questions"]), *shown)
    stdout_console().print(table)
    router = result["router"]
    stdout_console().print(f"Router: {router['accuracy']:.4f} of {router['images']} images sent right.")
