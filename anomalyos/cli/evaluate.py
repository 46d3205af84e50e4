"""``anomalyos evaluate``: every metric of the present champions."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from anomalyos.cli.output import print_json, progress_bar, stdout_console
from anomalyos.core.settings import get_settings
from anomalyos.db.engine import open_store
from anomalyos.models.evaluation import evaluate_category
from anomalyos.products.selection import choose_categories


def register(app: typer.Typer) -> None:
    app.command(name="evaluate")(evaluate)


def evaluate(
    category: Annotated[list[str] | None, typer.Option(help="Only this category; may be repeated.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Evaluate the champions on their categories' test images."""
    settings = get_settings()
    store = open_store(settings)
    store.upgrade()
    results = []
    with progress_bar() as bar:
        for name in choose_categories(settings, category or []):
            line = bar.add_task(name, total=None)
            results.append(
                evaluate_category(
                    name,
                    settings,
                    store,
                    progress=lambda done, total, line=line: bar.update(line, completed=done, total=total),  # type: ignore[misc]
                )
            )
    if as_json:
        print_json({"categories": results})
    else:
        print_table(results)


def print_table(results: list[dict[str, Any]]) -> None:
    from rich.table import Table

    table = Table(
        "category",
        "images",
        "AUROC",
        "AP",
        "pixels",
        "AUPRO",
        "found",
        "alarms",
        "ms",
        caption="images: good + defective · AUROC, AP: images · pixels: pixel AUROC · found: defects above "
        "the threshold · alarms: good images flagged at 5 % · ms: median of one image · *: synthetic",
    )
    for row in results:
        images, at = row["images"], row["at_threshold"]
        alarms = row["false_alarms"]["0.05"]
        table.add_row(
            row["category"] + (" *" if row["synthetic"] else ""),
            f"{images['test_good']}+{images['test_defective']}",
            *(figure(row[key], 3) for key in ("image_auroc", "image_ap", "pixel_auroc", "aupro")),
            f"{at['recall']['hits']}/{at['recall']['of']}",
            f"{alarms['hits']}/{alarms['of']}",
            figure(row["latency_ms"]["p50"], 0),
        )
    stdout_console().print(table)


def figure(value: float | None, digits: int = 4) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
