"""Finding past inspections."""

from __future__ import annotations

import pytest
from sqlmodel import Session

from anomalyos.db.engine import Store
from anomalyos.inspection import batches, history, reviews
from anomalyos.inspection.history import InspectionFilter
from anomalyos.inspection.tables import Batch
from tests.support.rows import category_with_versions, inspection

# on SQLite and on PostgreSQL
pytestmark = pytest.mark.databases


@pytest.fixture
def seen(store: Store) -> dict[str, int]:
    """Five inspections of two products in two nights, by file name."""
    with store.session() as session:
        nut, _ = category_with_versions(session, "hazelnut", 1)
        pill, _ = category_with_versions(session, "pill", 1)
        _night(session, "night-2026-11-23", "2026-11-23")
        _night(session, "night-2026-11-24", "2026-11-24")
        first, second = "night-2026-11-23", "night-2026-11-24"
        rows = {
            "crack": inspection(session, "inbox/Crack_01.png", first, category_id=nut),
            "fine": inspection(session, "inbox/100%_fine.png", first, category_id=nut, verdict="normal"),
            "pill": inspection(session, "inbox/pill_17.png", second, category_id=pill),
            "alarm": inspection(session, "inbox/1001.png", second, category_id=nut),
            "torn": inspection(session, "upload:torn.png", second, verdict="rejected"),
        }
        _decide(session, rows["crack"], "defect", "Crack")
        _decide(session, rows["pill"], "defect", "stain")
        _decide(session, rows["alarm"], "defect", "crack")
        reviews.decide(
            session, inspection_id=rows["alarm"], decision="false_alarm", actor="mia", expected_version=1
        )
    return rows


def _night(session: Session, key: str, day: str) -> Batch:
    return batches.get_or_create(session, key=key, kind="nightly", day=day)


def _decide(session: Session, number: int, decision: str, kind: str) -> None:
    reviews.decide(
        session,
        inspection_id=number,
        decision=decision,
        defect_type=kind,
        actor="mia",
        expected_version=0,
    )


def names(store: Store, seen: dict[str, int], wanted: InspectionFilter) -> list[str]:
    by_id = {number: name for name, number in seen.items()}
    with store.session(read_only=True) as session:
        found = history.find(session, wanted)
        assert history.count(session, wanted) == len(found)
    return [by_id[row.id] for row in found]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (InspectionFilter(), ["torn", "alarm", "pill", "fine", "crack"]),
        (InspectionFilter(text="crack"), ["crack"]),
        (InspectionFilter(text="INBOX/"), ["alarm", "pill", "fine", "crack"]),
        (InspectionFilter(text="%"), ["fine"]),
        (InspectionFilter(text="_"), ["pill", "fine", "crack"]),
        (InspectionFilter(category="hazelnut"), ["alarm", "fine", "crack"]),
        (InspectionFilter(category="nothing"), []),
        (InspectionFilter(verdict="rejected"), ["torn"]),
        (InspectionFilter(decision="defect"), ["pill", "crack"]),
        (InspectionFilter(decision="false_alarm"), ["alarm"]),
        (InspectionFilter(decision=history.UNDECIDED), ["torn", "fine"]),
        (InspectionFilter(defect_type="CRACK"), ["crack"]),
        (InspectionFilter(first_day="2026-11-24"), ["torn", "alarm", "pill"]),
        (InspectionFilter(last_day="2026-11-23"), ["fine", "crack"]),
        (InspectionFilter(first_day="2027-01-01"), []),
        (InspectionFilter(category="hazelnut", decision="defect", last_day="2026-11-23"), ["crack"]),
        (InspectionFilter(text="9" * 40), []),
    ],
)
def test_every_filter_narrows_the_search(
    store: Store, seen: dict[str, int], wanted: InspectionFilter, expected: list[str]
) -> None:
    assert names(store, seen, wanted) == expected


def test_a_number_finds_the_inspection_and_files_with_it(store: Store, seen: dict[str, int]) -> None:
    assert names(store, seen, InspectionFilter(text=f"#{seen['pill']}"))[0] == "pill"
    assert names(store, seen, InspectionFilter(text="17")) == ["pill"]


def test_a_hit_shows_the_decision_that_stands(store: Store, seen: dict[str, int]) -> None:
    with store.session(read_only=True) as session:
        found = {row.id: row for row in history.find(session, InspectionFilter())}
    crack, alarm, torn = (found[seen[name]] for name in ("crack", "alarm", "torn"))
    assert (crack.decision, crack.defect_type, crack.category, crack.day) == (
        "defect",
        "Crack",
        "hazelnut",
        "2026-11-23",
    )
    assert (alarm.decision, alarm.defect_type) == ("false_alarm", "")
    assert (torn.source, torn.category, torn.has_image) == ("torn.png", "", False)


def test_pages_follow_each_other(store: Store, seen: dict[str, int]) -> None:
    with store.session(read_only=True) as session:
        pages = [history.find(session, InspectionFilter(), limit=2, offset=offset) for offset in (0, 2, 4, 6)]
    assert [row.id for page in pages for row in page] == sorted(seen.values(), reverse=True)
    assert [len(page) for page in pages] == [2, 2, 1, 0]


def test_counting_stops_where_nobody_cares_any_more(
    store: Store, seen: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "COUNTED", 3)
    with store.session(read_only=True) as session:
        assert history.count(session, InspectionFilter()) == 4
        assert history.count(session, InspectionFilter(verdict="normal")) == 1


def test_fields_offer_what_there_is(store: Store, seen: dict[str, int]) -> None:
    with store.session(read_only=True) as session:
        assert history.known_categories(session) == ["hazelnut", "pill"]
        assert sorted(history.known_defect_types(session)) == ["Crack", "crack", "stain"]
