"""``anomalyos tune``: which recipe suits a product, shown without building anything."""

from __future__ import annotations

from typing import Any

from anomalyos.cli.output import answer, print_table, progress_bar, stdout_console
from anomalyos.cli.rebuild import stage_line
from anomalyos.cli.shared import CategoriesOption, JsonOption, ready_store
from anomalyos.core.settings import get_settings
from anomalyos.learning.job import LearningJob
from anomalyos.learning.options import RebuildOptions
from anomalyos.patchcore.tuning import AUTO
from anomalyos.products.selection import choose_categories


def tune(category: CategoriesOption = None, as_json: JsonOption = False) -> None:
    """Compare recipes on defects drawn into a category's normal images."""
    settings, store = get_settings(), ready_store()
    options = RebuildOptions(recipe=AUTO)
    results = []
    with progress_bar() as bar:
        for name in choose_categories(settings, category or []):
            job = LearningJob(name, settings, store, options, progress=stage_line(name, bar))
            results.append({"category": name, **job.tuning.to_json()})
    answer(as_json, {"categories": results}, lambda: print_results(results))


def print_results(results: list[dict[str, Any]]) -> None:
    console = stdout_console()
    for result in results:
        if result["candidates"]:
            print_table(
                ("", "recipe", "AUROC", "behind", "error", "ms an image"),
                (
                    (
                        "●" if row["recipe"] == result["chosen"] else "",
                        row["recipe"],
                        f"{row['auroc']:.3f}",
                        f"{row['behind']:.3f}",
                        f"{row['error']:.3f}",
                        f"{row['ms']:.0f}",
                    )
                    for row in result["candidates"]
                ),
                caption=f"{result['category']}: {result['pictures']} normal images, defects drawn into them",
            )
        console.print(f"{result['category']}: {result['chosen']}. {result['reason']}", highlight=False)
    console.print("To build with it: anomalyos rebuild --category NAME --recipe auto", highlight=False)
