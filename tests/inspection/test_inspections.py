from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from anomalyos.core.errors import NotFound
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.db.rows import stored_id
from anomalyos.inspection import batches, images, inspections, reviews
from anomalyos.inspection.tables import Inspection, Verdict
from anomalyos.models import categories
from tests.support import workers
from tests.support.rows import batch, category_with_versions, inspection

# on SQLite and on PostgreSQL
pytestmark = pytest.mark.databases

PART = st.text(max_size=5)


@given(first=st.tuples(PART, PART, PART), second=st.tuples(PART, PART, PART))
def test_work_keys_are_equal_only_for_equal_work(
    first: tuple[str, str, str], second: tuple[str, str, str]
) -> None:
    assert (inspections.work_key(*first) == inspections.work_key(*second)) == (first == second)
    assert len(inspections.work_key(*first)) == 64


def test_the_same_work_is_recorded_once(store: Store) -> None:
    with store.session() as session:
        batch_id = stored_id(batch(session).id)

        def row(verdict: str) -> Inspection:
            key = inspections.work_key("night", "a.png", "f" * 64)
            return Inspection(
                work_key=key, batch_id=batch_id, source="a.png", content_sha256="f" * 64, verdict=verdict
            )

        first, created = inspections.record(session, row("normal"))
        again, created_again = inspections.record(session, row("anomalous"))
        assert (created, created_again) == (True, False)
        assert again.id == first.id
        assert again.verdict == "normal"
        assert inspections.known_work_keys(session, [first.work_key, "0" * 64]) == {first.work_key}
        assert inspections.known_work_keys(session, []) == set()
        assert inspections.sources(session, batch_id) == {"a.png"}
        assert inspections.sources(session, batch_id + 1) == set()


def test_processes_with_the_same_work_make_one_row_each_image(store: Store, store_settings: Settings) -> None:
    with store.session() as session:
        batch_id = stored_id(batch(session).id)
    made = workers.run_together(workers.record, store_settings, [(batch_id, 20)] * 4)
    assert sum(made) == 20
    with store.session() as session:
        assert len(set(session.exec(select(Inspection.work_key)))) == 20
        assert inspections.queue_count(session, verdicts=list(Verdict), decided=None) == 20


def test_file_names_that_are_no_text_can_be_recorded(store: Store) -> None:
    source = b"caf\xe9\0.png".decode("utf-8", "surrogateescape")
    with store.session() as session:
        row_id = inspection(session, source, verdict="rejected", reject_reason="bad \udcff name")
    with store.session() as session:
        row = inspections.get(session, row_id)
    assert row.source == r"caf\udce9\x00.png"
    assert row.reject_reason == r"bad \udcff name"


def test_a_missing_inspection_is_named(store: Store) -> None:
    with store.session() as session, pytest.raises(NotFound, match="17"):
        inspections.get(session, 17)


def test_the_most_suspicious_comes_first(store: Store) -> None:
    with store.session() as session:
        rows = {
            "sure": inspection(session, "sure", p_value=0.01, score=9.0, threshold=3.0),
            "relative": inspection(session, "relative", p_value=0.01, score=2.0, threshold=0.5),
            "mild": inspection(session, "mild", p_value=0.04, score=50.0, threshold=1.0),
            "older twin": inspection(session, "older twin", p_value=0.05, score=2.0, threshold=1.0),
            "younger twin": inspection(session, "younger twin", p_value=0.05, score=2.0, threshold=1.0),
            "no ratio": inspection(session, "no ratio", p_value=0.05, score=2.0, threshold=0.0),
            "unknown": inspection(session, "unknown", verdict="unknown_category"),
        }
        expected = ["unknown", "relative", "sure", "mild", "older twin", "younger twin", "no ratio"]
        found = inspections.queue(session)
        assert [row.source for row in found] == expected
        pages = [inspections.queue(session, limit=3, offset=start) for start in (0, 3, 6, 9)]
        assert [row.source for page in pages for row in page] == expected
        assert inspections.queue_count(session) == len(rows)


def test_the_queue_filters(store: Store) -> None:
    with store.session() as session:
        hazelnut = categories.ensure(session, "hazelnut").id
        one = inspection(session, "1", category_id=hazelnut, p_value=0.01)
        two = inspection(session, "2", p_value=0.02, batch_key="night-2026-11-25")
        normal = inspection(session, "3", verdict="normal", p_value=0.5)
        decided = inspection(session, "4", p_value=0.04)
        inspection(session, "5", verdict="rejected")
        reviews.decide(session, inspection_id=decided, decision="unsure", actor="mia", expected_version=0)

        def ids(**filters: object) -> list[int | None]:
            rows = inspections.queue(session, **filters)
            assert inspections.queue_count(session, **filters) == len(rows)
            return [row.id for row in rows]

        assert ids() == [one, two]
        assert ids(decided=None) == [one, two, decided]
        assert ids(decided=True) == [decided]
        assert ids(batch_key="night-2026-11-25") == [two]
        assert ids(category="hazelnut") == [one]
        assert ids(verdicts=[Verdict.NORMAL]) == [normal]
        assert ids(verdicts=[]) == []
        assert ids(batch_key="no such batch") == []
        assert ids(category="no such category") == []


def test_the_queue_filters_by_kind_model_and_reviewer(store: Store) -> None:
    with store.session() as session:
        category_id, (old, new) = category_with_versions(session, "hazelnut", 2)
        first = inspection(session, "1", category_id=category_id, model_version_id=old, p_value=0.01)
        second = inspection(session, "2", category_id=category_id, model_version_id=new, p_value=0.02)
        batches.get_or_create(session, key="live-2026-11-24", kind="live", day="2026-11-24")
        live = inspection(session, "3", batch_key="live-2026-11-24", p_value=0.03)
        for row, reviewer, version in ((first, "mia", 0), (second, "mia", 0), (second, "sam", 1)):
            reviews.decide(
                session, inspection_id=row, decision="unsure", actor=reviewer, expected_version=version
            )

        def ids(**filters: object) -> list[int | None]:
            wanted = {"decided": None, **filters}
            rows = inspections.queue(session, **wanted)
            assert inspections.queue_count(session, **wanted) == len(rows)
            return [row.id for row in rows]

        assert ids() == [first, second, live]
        assert ids(batch_kind="nightly") == [first, second]
        assert ids(batch_kind="live") == [live]
        assert ids(batch_kind="nightly", batch_key="live-2026-11-24") == [live]
        assert ids(model_version_id=old) == [first]
        assert ids(model_version_id=99) == []
        assert ids(reviewer="mia") == [first]
        assert ids(reviewer="sam") == [second]
        assert ids(reviewer="sam", decided=False) == []
        reviews.undo(session, inspection_id=second, actor="sam", expected_version=2)
        reviews.undo(session, inspection_id=second, actor="sam", expected_version=3)
        assert ids(reviewer="sam", decided=True) == []


def test_an_items_place_is_where_the_queue_lists_it(store: Store) -> None:
    with store.session() as session:
        ids = [
            inspection(session, str(number), p_value=value, score=score, threshold=1.0)
            for number, (value, score) in enumerate([(0.03, 2.0), (None, None), (0.01, 2.0), (0.01, 4.0)])
        ]
        listed = [row.id for row in inspections.queue(session)]
        assert listed == [ids[1], ids[3], ids[2], ids[0]]
        assert [inspections.queue_place(session, row or 0) for row in listed] == [0, 1, 2, 3]
        assert inspections.queue_place(session, ids[0], verdicts=[Verdict.NORMAL]) is None
        assert inspections.queue_place(session, 99) is None


def test_an_undone_decision_returns_to_the_queue(store: Store) -> None:
    with store.session() as session:
        row = inspection(session)
        reviews.decide(session, inspection_id=row, decision="defect", actor="mia", expected_version=0)
        assert inspections.queue_count(session) == 0
        reviews.undo(session, inspection_id=row, actor="mia", expected_version=1)
        assert inspections.queue_count(session) == 1


def test_one_image_row_per_content(store: Store) -> None:
    facts = {"object_path": "x", "format": "png", "width": 3, "height": 2, "size_bytes": 9}
    with store.session() as session:
        first = images.get_or_create(session, sha256="a" * 64, **facts)
        again = images.get_or_create(session, sha256="a" * 64, **facts)
        assert again.id == first.id
        assert again.width == 3
        assert images.find(session, "b" * 64) is None
