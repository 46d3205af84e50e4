"""What data checks find in the real sets at the shipped suite, and what they cost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from tests.benchmarks.home import REAL, SHARED
from tests.benchmarks.record import write_result

NIGHT = "2026-11-24"
NIGHT_IMAGES = 1_000


def main() -> Path:
    with tempfile.TemporaryDirectory(prefix="aos-checks-") as folder:
        settings = Settings(home=Path(folder), database_url="", _env_file=None)
        store = Store(settings)
        store.upgrade()
        seconds = import_seconds()
        rows = check_sets(settings, store)
        night = check_night(settings, store)
        store.close()
    images = sum(row["images"] for row in rows)
    figures = {
        "great_expectations": version("great-expectations"),
        "import_seconds": seconds,
        "categories": rows,
        "seconds_per_1000_images": {
            "first": round(1000 * sum(row["first_seconds"] for row in rows) / images, 2),
            "again": round(1000 * sum(row["again_seconds"] for row in rows) / images, 2),
        },
        "night": night,
    }
    return write_result("data_checks", figures)


def import_seconds() -> float:
    """What the import of Great Expectations costs a process that needs it."""
    begun = time.monotonic()
    subprocess.run([sys.executable, "-c", "import great_expectations"], check=True)
    return round(time.monotonic() - begun, 2)


def check_sets(settings: Settings, store: Store) -> list[dict[str, Any]]:
    import great_expectations  # noqa: F401  # its import is measured by itself

    from anomalyos.products.dataset import list_categories
    from anomalyos.products.importer import import_dataset
    from anomalyos.quality.data_check import check_category

    for name in REAL:
        import_dataset(SHARED / name, settings)
    rows = []
    for name in list_categories(settings):
        begun = time.monotonic()
        check = check_category(name, settings, store)
        first = time.monotonic() - begun
        begun = time.monotonic()
        check_category(name, settings, store)
        row = {
            "category": name,
            "images": check.row.images,
            "outcome": check.row.outcome,
            "set_aside": len(check.out),
            "remarks": {
                f"{result['title']} ({result['section']})": f"{result['unexpected']} of {result['checked']}"
                for result in check.row.results
                if not result["passed"]
            },
            "expectations": len(check.row.results),
            "first_seconds": round(first, 2),
            "again_seconds": round(time.monotonic() - begun, 2),
            "page_bytes": len(store.objects.read(check.row.page_path)),
        }
        rows.append(row)
        sys.stderr.write(f"{row}\n")
    return rows


def check_night(settings: Settings, store: Store) -> dict[str, Any]:
    """A night of 1,000 photographs of the largest product, none of them seen before."""
    from anomalyos.inspection.delivery_check import check_delivery
    from anomalyos.products.dataset import load_category

    inbox = settings.inbox_dir / NIGHT / "magnetic_tile"
    inbox.mkdir(parents=True)
    data = load_category(settings, "magnetic_tile")
    samples = [*data.train, *data.test][:NIGHT_IMAGES]
    for number, sample in enumerate(samples):
        # a zero byte after a JPEG's end is padding, and makes another content of the same picture
        shutil.copy(sample.path, inbox / f"{number:04}{sample.path.suffix}")
        with (inbox / f"{number:04}{sample.path.suffix}").open("ab") as file:
            file.write(b"\0")
        os.utime(inbox / f"{number:04}{sample.path.suffix}", (0, 0))
    paths = [f"magnetic_tile/{path.name}" for path in sorted(inbox.iterdir())]
    seconds = []
    for _ in range(2):
        begun = time.monotonic()
        check = check_delivery(settings, store, NIGHT, "magnetic_tile", paths)
        seconds.append(round(time.monotonic() - begun, 2))
    return {
        "images": check.images,
        "outcome": check.outcome,
        "files_with_remarks": len(check.findings),
        "first_seconds": seconds[0],
        "again_seconds": seconds[1],
    }
