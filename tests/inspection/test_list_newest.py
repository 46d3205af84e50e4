from __future__ import annotations

import pytest

from anomalyos.db.engine import Store
from anomalyos.db.rows import stored_id
from anomalyos.inspection import batches
from anomalyos.inspection.list_newest import list_newest, live_batch_of
from tests.support.rows import batch, inspection

# on SQLite and on PostgreSQL
pytestmark = pytest.mark.databases


def test_the_newest_come_first_page_by_page(store: Store) -> None:
    verdicts = ("normal", "anomalous", "rejected", "normal")
    with store.session() as session:
        ids = [inspection(session, f"{n}.png", verdict=verdict) for n, verdict in enumerate(verdicts)]
        inspection(session, "elsewhere.png", "night-2026-11-23")
        night = stored_id(batch(session).id)
    with store.session(read_only=True) as session:
        assert [row.id for row in list_newest(session, night)] == ids[::-1]
        assert [row.id for row in list_newest(session, night, limit=2, offset=1)] == [ids[2], ids[1]]
        assert [row.id for row in list_newest(session, night, verdicts=["normal"])] == [ids[3], ids[0]]
        assert list_newest(session, night, offset=9) == []


def test_a_days_live_batch_is_found_and_never_made_by_looking(store: Store) -> None:
    with store.session() as session:
        assert live_batch_of(session, "2026-11-24") is None
        batch(session)
        made = batches.get_or_create(session, key="live-2026-11-24", kind="live", day="2026-11-24")
        found = live_batch_of(session, "2026-11-24")
    assert found is not None
    assert found.id == made.id
