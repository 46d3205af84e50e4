from __future__ import annotations

import pytest

from anomalyos.core.errors import AnomalyOSError, NotFound
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.db.rows import stored_id
from anomalyos.inspection import batches, reviews
from anomalyos.inspection.batches import BatchSummary
from tests.support import workers
from tests.support.rows import batch, inspection

# on SQLite and on PostgreSQL
pytestmark = pytest.mark.databases


def test_a_key_names_one_batch(store: Store) -> None:
    with store.session() as session:
        first = batches.get_or_create(session, key="n", kind="nightly", day="2026-11-24", run_id="run 1")
        again = batches.get_or_create(session, key="n", kind="nightly", day="2026-11-24", run_id="run 2")
        assert again.id == first.id
        assert again.run_id == "run 1"
        assert batches.by_key(session, "n").id == first.id
        assert batches.get(session, stored_id(first.id)).key == "n"
        with pytest.raises(NotFound):
            batches.by_key(session, "x")
        with pytest.raises(NotFound):
            batches.get(session, 99)


@pytest.mark.parametrize(
    ("key", "kind", "day"),
    [("", "nightly", "2026-11-24"), ("n", "weekly", "2026-11-24"), ("n", "nightly", "24.11.2026")],
)
def test_batches_without_sense_are_refused(store: Store, key: str, kind: str, day: str) -> None:
    with store.session() as session, pytest.raises(AnomalyOSError):
        batches.get_or_create(session, key=key, kind=kind, day=day)


def test_processes_that_create_a_batch_at_once_share_it(store: Store, store_settings: Settings) -> None:
    outcomes = workers.run_together(workers.create_batch, store_settings, [()] * 4)
    with store.session() as session:
        assert outcomes == [batches.by_key(session, "night").id] * 4


def test_the_first_finish_stays(store: Store) -> None:
    with store.session() as session:
        batch_id = stored_id(batch(session).id)
        assert not batches.summary(session, batch_id).finished
        first = batches.finish(session, batch_id).finished_at
        assert batches.finish(session, batch_id).finished_at == first
        assert batches.summary(session, batch_id).finished


def test_a_summary_counts_every_image_once(store: Store) -> None:
    with store.session() as session:
        batch_id = stored_id(batch(session).id)
        batches.set_expected(session, batch_id, 9)
        flagged = [inspection(session, f"a{n}") for n in range(3)]
        inspection(session, "u", verdict="unknown_category")
        inspection(session, "r", verdict="rejected")
        missed = inspection(session, "n1", verdict="normal")
        inspection(session, "n2", verdict="normal")
        inspection(session, "elsewhere", batch_key="night-2026-11-25")
        for row in (flagged[0], missed):
            reviews.decide(session, inspection_id=row, decision="defect", actor="mia", expected_version=0)
        summary = batches.summary(session, batch_id)
    assert summary == BatchSummary(
        total=7,
        normal=2,
        anomalous=3,
        unknown_category=1,
        rejected=1,
        undecided=3,
        decided=2,
        expected=9,
        finished=False,
    )


def test_an_empty_batch_has_a_summary(store: Store) -> None:
    with store.session() as session:
        summary = batches.summary(session, stored_id(batch(session).id))
        assert (summary.total, summary.undecided, summary.decided) == (0, 0, 0)
        with pytest.raises(NotFound):
            batches.summary(session, 99)


def test_a_negative_number_of_files_is_refused(store: Store) -> None:
    with store.session() as session, pytest.raises(AnomalyOSError):
        batches.set_expected(session, stored_id(batch(session).id), -1)
