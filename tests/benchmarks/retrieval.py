"""Precision of similar cases, hierarchical against flat, and of the router, on everything at hand."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.benchmarks.home import prepare
from tests.benchmarks.record import write_result


def main() -> Path:
    from anomalyos.learning.rebuild import rebuild_category
    from anomalyos.products.dataset import list_categories
    from tests.benchmarks.retrieval_figures import evaluate_everything

    settings, store = prepare(real=True)
    names = list_categories(settings)
    for name in names:
        rebuild_category(name, settings, store, actor="benchmark")

    def progress(name: str, done: int, total: int) -> None:
        if done % 100 == 0:
            sys.stderr.write(f"{done}/{total} {name}\n")

    return write_result("retrieval", evaluate_everything(names, settings, store, progress))
