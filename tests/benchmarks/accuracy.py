"""Every metric of every category at hand, at the defaults."""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import fmean
from typing import Any

from anomalyos.core.errors import Conflict
from tests.benchmarks.home import prepare
from tests.benchmarks.record import write_result


def main() -> Path:
    from anomalyos.learning.rebuild import rebuild_category
    from anomalyos.models.evaluation import evaluate_category
    from anomalyos.products.dataset import list_categories

    settings, store = prepare(real=True)
    rows: list[dict[str, Any]] = []
    for name in list_categories(settings):
        built = rebuild_category(name, settings, store, actor="benchmark")
        row = evaluate_category(name, settings, store)
        if row["version"] != built["version"]:
            raise Conflict(
                f"The champion of {name} was made from other images and the gate keeps it.",
                f"Delete {settings.home} and measure again.",
            )
        row["rebuild_seconds"] = built["seconds"] if built["created"] else None
        rows.append(row)
        sys.stderr.write(f"{name}: image AUROC {row['image_auroc']:.4f}\n")
    return write_result("accuracy", {"categories": rows, "summary": summary(rows)})


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Means over the sample categories, and false alarms counted over all of them together."""
    sample = [row for row in rows if row["synthetic"]]
    keys = ("image_auroc", "image_ap", "pixel_auroc", "aupro")
    figures: dict[str, Any] = {
        "sample_categories": len(sample),
        **{f"sample_mean_{key}": round(fmean(row[key] for row in sample), 4) for key in keys},
        "sample_lowest_image_auroc": min(row["image_auroc"] for row in sample),
    }
    for alpha in ("0.05", "0.1"):
        hits = sum(row["false_alarms"][alpha]["hits"] for row in sample)
        total = sum(row["false_alarms"][alpha]["of"] for row in sample)
        figures[f"sample_false_alarms_at_{alpha}"] = {
            "hits": hits,
            "of": total,
            "rate": round(hits / total, 4),
        }
    return figures
