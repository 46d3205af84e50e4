"""The home benchmarks share: sample categories, and the real ones where they are at hand."""

from __future__ import annotations

import os
from collections.abc import Sequence

from anomalyos.core.settings import PROJECT_ROOT, Settings, get_settings
from anomalyos.db.engine import Store, open_store

SHARED = PROJECT_ROOT.parent / "shared" / "data"
REAL = ("mvtec_ad_reduced", "magnetic_tile", "pcb", "piped")


def prepare(*, real: bool, products: Sequence[str] | None = None) -> tuple[Settings, Store]:
    """Settings and store of ``var/bench``, its categories drawn, imported and rebuilt.

    What an earlier benchmark prepared is used again, unless images, recipes or code of the rendering
    changed: a rebuild of the same inputs finds its version.

    Args:
        products: which sample categories are drawn, all by default.
    """
    from anomalyos.products.importer import import_dataset
    from anomalyos.products.sample import CATALOGUE, write_dataset

    os.environ["ANOMALYOS_HOME"] = os.environ.get("ANOMALYOS_BENCH_HOME", str(PROJECT_ROOT / "var" / "bench"))
    get_settings.cache_clear()
    settings = get_settings()
    store = open_store(settings)
    store.upgrade()
    write_dataset(settings.data_dir, categories=products or [category.name for category in CATALOGUE])
    for name in REAL if real and SHARED.is_dir() else ():
        import_dataset(SHARED / name, settings)
    return settings, store
