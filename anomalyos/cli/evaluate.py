"""``anomalyos evaluate``: every metric of the present champions."""

from __future__ import annotations

from typing import Any

from anomalyos.cli.output import answer, counted, figure, print_table, progress_bar
from anomalyos.cli.shared import CategoriesOption, JsonOption, ready_store
from anomalyos.core.settings import get_settings
from anomalyos.models.evaluation import evaluate_category
from anomalyos.products.selection import choose_categories


def evaluate(category: CategoriesOption = None, as_json: JsonOption = False) -> None:
    """Evaluate the champions on their categories' test images."""
    settings, store = get_settings(), ready_store()
    with progress_bar() as bar:
        results = [
            evaluate_category(name, settings, store, progress=counted(bar, name))
            for name in choose_categories(settings, category or [])
        ]
    answer(as_json, {"categories": results}, lambda: print_results(results))


def print_results(results: list[dict[str, Any]]) -> None:
    print_table(
        ("category", "images", "AUROC", "AP", "pixels", "AUPRO", "found", "alarms", "ms"),
        (cells(row) for row in results),
        caption="images: good + defective · AUROC, AP: images · pixels: pixel AUROC · found: defects above "
        "the threshold · alarms: good images flagged at 5 % · ms: median of one image · *: synthetic",
    )


def cells(row: dict[str, Any]) -> tuple[str, ...]:
    images, recall, alarms = row["images"], row["at_threshold"]["recall"], row["false_alarms"]["0.05"]
    return (
        row["category"] + (" *" if row["synthetic"] else ""),
        f"{images['test_good']}+{images['test_defective']}",
        *(figure(row[key], 3) for key in ("image_auroc", "image_ap", "pixel_auroc", "aupro")),
        f"{recall['hits']}/{recall['of']}",
        f"{alarms['hits']}/{alarms['of']}",
        figure(row["latency_ms"]["p50"], 0),
    )
