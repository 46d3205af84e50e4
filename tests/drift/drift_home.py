"""A product whose model has seen something, and small windows to compare."""

from __future__ import annotations

from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.inspection import batches
from anomalyos.inspection.inspector import Inspector
from anomalyos.inspection.tables import BatchKind, Inspection
from tests.support.products import picture

DAY = "2026-11-24"
RULES = """
windows: {reference: 14, current: 14, least: 10}
retraining: {cooldown_hours: 72, runs_per_day: 2}
keep_pages: 2
metrics:
  score: {method: wasserstein, threshold: 1.0}
  category: {method: jensenshannon, threshold: 0.2}
  brightness: {method: wasserstein, threshold: 1.0}
  sharpness: {method: wasserstein, threshold: 1.0}
  embedding: {method: wasserstein, threshold: 1.0}
"""
"""Chance alone moves windows this small by half a standard deviation."""


def small_windows(settings: Settings, text: str = RULES) -> None:
    """Rules of the test's own; the other files of include/ stay where they are."""
    own = settings.home / "include"
    if not own.is_dir():
        own.mkdir()
        for path in settings.include_dir.iterdir():
            if path.name != "drift.yaml":
                (own / path.name).symlink_to(path)
        settings.include_dir = own
    (own / "drift.yaml").write_text(text)


def look_at(
    settings: Settings, store: Store, count: int, *, product: str = "dots", first: int = 5000
) -> list[Inspection]:
    """Inspect ``count`` normal images of the product, all different."""
    inspector = Inspector(settings, store)
    with store.session() as session:
        key = batches.get_or_create(session, key=f"night-{DAY}", kind=BatchKind.NIGHTLY, day=DAY).key
    return [
        inspector.inspect(
            picture(product, number), source=f"{product}/{number}.png", batch_key=key, category=product
        )
        for number in range(first, first + count)
    ]
