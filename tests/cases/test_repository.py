from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sqlmodel import Session

from anomalyos.accounts import audit
from anomalyos.cases import repository as case_repository
from anomalyos.cases.tables import CaseOrigin, DefectCase
from anomalyos.core.errors import AnomalyOSError, Conflict, NotFound
from anomalyos.db.engine import Store
from anomalyos.db.rows import stored_id
from anomalyos.inspection import reviews
from anomalyos.models import categories
from tests.support.rows import inspection

# on SQLite and on PostgreSQL
pytestmark = pytest.mark.databases


def case(number: int = 1, **fields: Any) -> DefectCase:
    facts = {
        "category": "hazelnut",
        "defect_type": "crack",
        "origin": CaseOrigin.IMPORT.value,
        "source": f"hazelnut/test/crack/{number:03}.png",
        "image_sha256": f"{number:064x}",
        "box": {"x": 1, "y": 2, "width": 30, "height": 40},
    }
    blank = {"content_key": "", "image_path": "", "crop_path": "", "added_by": ""}
    return DefectCase(**{**blank, **facts, **fields})


def add(session: Session, number: int = 1, **fields: Any) -> int:
    return stored_id(case_repository.add(session, case(number, **fields), "mia")[0].id)


def test_adding_twice_adds_once(store: Store) -> None:
    with store.session() as session:
        first, created = case_repository.add(session, case(), "mia")
        again, created_again = case_repository.add(session, case(source="elsewhere/000.png"), "ben")
    assert (created, created_again) == (True, False)
    assert (again.id, again.added_by) == (first.id, "mia")


def test_two_reviews_of_one_image_are_two_cases(store: Store) -> None:
    with store.session() as session:
        one, other = (
            add(session, source=f"inspection:{inspection(session, f'{n}.png')}", origin="review")
            for n in range(2)
        )
    assert one != other


@pytest.mark.parametrize("fields", [{"defect_type": " "}, {"category": "x" * 65}, {"note": "\0"}])
def test_texts_that_cannot_be_kept_are_refused(store: Store, fields: dict[str, Any]) -> None:
    with pytest.raises(AnomalyOSError), store.session() as session:
        case_repository.add(session, case(**fields), "mia")


def test_a_removed_case_leaves_the_list_and_stays_removed_when_imported_again(store: Store) -> None:
    with store.session() as session:
        number = add(session)
        case_repository.remove(session, number, "ben", "wrong label")
        _, created = case_repository.add(session, case(), "import")
        assert not created
        assert (case_repository.count(session), case_repository.count(session, removed=True)) == (0, 1)
        assert [row.removed_by for row in case_repository.list_cases(session, removed=True)] == ["ben"]
        with pytest.raises(Conflict):
            case_repository.remove(session, number, "ben", "again")
        case_repository.restore(session, number, "mia", "it was right")
        assert case_repository.count(session) == 1
        with pytest.raises(Conflict):
            case_repository.restore(session, number, "mia")


def test_every_change_has_a_later_number_and_is_audited(store: Store) -> None:
    with store.session() as session:
        first, second = add(session, 1), add(session, 2)
        seen = case_repository.last_change(session)
        assert not case_repository.changes_since(session, seen)
        case_repository.remove(session, first, "ben", "wrong label")
        case_repository.annotate(session, second, "ben", "see the note of the lab")
        case_repository.annotate(session, second, "ben", "see the note of the lab")
        assert [row.id for row in case_repository.changes_since(session, seen)] == [first, second]
        assert case_repository.last_change(session) == seen + 2
        events = audit.recent(session)
    assert [(event.action, event.actor) for event in reversed(events)] == [
        ("case.add", "mia"),
        ("case.add", "mia"),
        ("case.remove", "ben"),
        ("case.annotate", "ben"),
    ]
    assert (events[1].detail["reason"], events[1].subject) == ("wrong label", f"case:{first}")


def test_lists_are_filtered_and_paged(store: Store) -> None:
    with store.session() as session:
        for number in range(4):
            add(session, number, category="ab"[number % 2], defect_type="xy"[number // 2])
        assert case_repository.count(session, category="a") == 2
        assert case_repository.count(session, category="a", defect_type="x") == 1
        assert [row.id for row in case_repository.list_cases(session, limit=2, offset=1)] == [2, 3]
        assert case_repository.categories(session) == {"a", "b"}
        assert set(case_repository.get_many(session, [1, 3, 99])) == {1, 3}
        with pytest.raises(NotFound):
            case_repository.get(session, 99)


def test_vectors_are_kept_by_embedder(store: Store) -> None:
    vector = np.linspace(0, 1, 8, dtype=np.float32)
    with store.session() as session:
        number = add(session)
        case_repository.put_vector(session, number, "a" * 64, vector)
        case_repository.put_vector(session, number, "a" * 64, vector)
        kept = case_repository.vectors(session, "a" * 64, [number, 99])
        assert not case_repository.vectors(session, "b" * 64, [number])
    assert list(kept) == [number]
    np.testing.assert_array_equal(kept[number], vector)


def test_reviews_that_no_case_follows_are_found(store: Store) -> None:
    with store.session() as session:
        category = stored_id(categories.ensure(session, "hazelnut").id)
        confirmed, alarm, renamed, by_hand, undone = (
            inspection(session, f"{n}.png", category_id=category) for n in range(5)
        )
        for number, decision in ((confirmed, "defect"), (alarm, "false_alarm"), (renamed, "defect")):
            decide(session, number, decision)
        decide(session, by_hand, "defect")
        for number in (renamed, by_hand, undone):
            row = add(
                session,
                number,
                origin="review",
                source=f"inspection:{number}",
                inspection_id=number,
                defect_type="hole" if number == renamed else case_repository.UNNAMED,
            )
            if number == by_hand:
                case_repository.remove(session, row, "mia", "not typical")
        assert case_repository.reviews_not_followed(session) == sorted([confirmed, renamed, undone])


def decide(session: Session, number: int, decision: str) -> None:
    reviews.decide(session, inspection_id=number, decision=decision, actor="mia", expected_version=0)
