"""``anomalyos evaluate-retrieval``: how well known defects are found by their looks."""

from __future__ import annotations

from typing import Any

from anomalyos.cases.evaluation import evaluate_retrieval as evaluate
from anomalyos.cli.output import answer, print_table, progress_bar, stdout_console
from anomalyos.cli.shared import CategoriesOption, JsonOption, ready_store
from anomalyos.core.settings import get_settings
from anomalyos.products.selection import choose_categories


def evaluate_retrieval(category: CategoriesOption = None, as_json: JsonOption = False) -> None:
    """Precision of the similar cases, hierarchical against flat, and of the category router."""
    settings, store = get_settings(), ready_store()
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
    answer(as_json, result, lambda: print_tables(result))


def print_tables(result: dict[str, Any]) -> None:
    print_table(
        ("set", "asked with", "search", "questions", "P@1", "P@5", "of possible", "MRR"),
        (
            (
                name,
                kind,
                mode,
                str(row["questions"]),
                *(f"{row[key]:.3f}" for key in ("p_at_1", "p_at_5", "p_at_5_of_possible", "mrr")),
            )
            for name, kinds in result["sets"].items()
            for kind, parts in kinds.items()
            for mode, row in parts["image"].items()
            if row is not None
        ),
        caption=f"embedder {result['embedder']['name']} · region: where the model looks, as in use · mask: "
        "where the label is · of possible: P@5 divided by the highest it can be",
    )
    router = result["router"]
    stdout_console().print(f"Router: {router['accuracy']:.4f} of {router['images']} images sent right.")
