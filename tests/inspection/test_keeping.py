"""Results of several images are stored in one transaction, once, whoever else stores the same."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sqlmodel import func, select

from anomalyos.core.errors import NotFound
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.images.decoding import ImageRejected, decode_image
from anomalyos.inspection.examination import Examination
from anomalyos.inspection.keeping import Finished, keep
from anomalyos.inspection.tables import Image, Inspection
from anomalyos.patchcore.router import Route
from tests.support.products import png
from tests.support.rows import batch
from tests.support.workers import run_together

# on SQLite and on PostgreSQL
pytestmark = pytest.mark.databases

KEY = "night-2026-11-24"
FILES = 24


def finished(settings: Settings, number: int, content: int) -> Finished:
    """A part of no known product; every third file is no image."""
    source = f"2026-11-24/{number:03}.png"
    if number % 3 == 2:
        reason = ImageRejected("not_an_image", "The file is not an image.")
        return Finished(b"no image %d" % number, source, None, None, reason, {"total": 1.0})
    data = png(np.full((8, 8, 3), content, np.uint8))
    found = Examination(Route(None, "nut", 0.1), None)
    return Finished(data, source, None, decode_image(data, settings), found, {"total": 2.0})


def counts(store: Store) -> list[int]:
    """How many inspections and images there are."""
    with store.session(read_only=True) as session:
        return [session.exec(select(func.count()).select_from(table)).one() for table in (Inspection, Image)]


def test_several_are_stored_in_their_order(store: Store, store_settings: Settings) -> None:
    with store.session() as session:
        batch(session, KEY)
    # the same content under several names is one image
    rows = keep(store, KEY, [finished(store_settings, number, number // 2) for number in range(FILES)])
    assert [row.source for row in rows] == [f"2026-11-24/{number:03}.png" for number in range(FILES)]
    assert [row.verdict for row in rows[:3]] == ["unknown_category", "unknown_category", "rejected"]
    assert rows[0].image_id == rows[1].image_id
    assert rows[2].image_id is None
    images = {number // 2 for number in range(FILES) if number % 3 != 2}
    assert counts(store) == [FILES, len(images)]
    again = keep(store, KEY, [finished(store_settings, number, number // 2) for number in range(FILES)])
    assert [row.id for row in again] == [row.id for row in rows]


def test_an_unknown_batch_is_named_and_leaves_no_row(store: Store, store_settings: Settings) -> None:
    with pytest.raises(NotFound, match="night-1999-01-01"):
        keep(store, "night-1999-01-01", [finished(store_settings, 0, 1)])
    assert counts(store) == [0, 0]


def keep_in_groups(settings: Settings, wait: Callable[[], object], first: int) -> int:
    """Store the same files, beginning elsewhere; how many rows there were in the answers."""
    store = Store(settings)
    wait()
    numbers = [(first + step) % FILES for step in range(FILES)]
    stored = 0
    for start in range(0, FILES, 8):
        group = [finished(settings, number, number * 7 % 50) for number in numbers[start : start + 8]]
        stored += len(keep(store, KEY, group))
    store.close()
    return stored


def test_processes_with_the_same_files_store_each_once(store: Store, store_settings: Settings) -> None:
    with store.session() as session:
        batch(session, KEY)
    made = run_together(keep_in_groups, store_settings, [(first,) for first in (0, 5, 11, 18)])
    assert made == [FILES] * 4
    assert counts(store) == [FILES, FILES - FILES // 3]
