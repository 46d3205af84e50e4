from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from anomalyos.core.errors import AnomalyOSError
from anomalyos.db.engine import Store
from anomalyos.db.rows import get_or_create, get_or_create_many, plain_text, storable, stored_id
from anomalyos.models.tables import Category, Promotion

# on SQLite and on PostgreSQL
pytestmark = pytest.mark.databases

ANY_TEXT = st.text(st.characters(exclude_categories=()))


@given(ANY_TEXT)
def test_everything_can_be_made_storable(text: str) -> None:
    made = storable(text)
    made.encode("utf-8")
    assert "\0" not in made
    assert storable(made) == made


@given(ANY_TEXT)
def test_plain_text_is_storable_or_refused(text: str) -> None:
    try:
        kept = plain_text(text, "note", 20)
    except AnomalyOSError:
        assert len(text.strip()) > 20 or storable(text) != text
    else:
        assert kept == text.strip() == storable(kept)


def test_the_surrounding_transaction_survives_a_lost_race(store: Store) -> None:
    with store.session() as session:
        session.add(Category(name="hazelnut"))
        session.flush()
        looks = iter([None, "found"])

        def late() -> Category | None:
            if next(looks) is None:  # as if the other process had not committed yet
                return None
            return session.exec(select(Category).where(Category.name == "hazelnut")).one()

        found, created = get_or_create(session, Category(name="hazelnut"), late)
        assert not created
        session.add(Category(name="pcb"))
    with store.session() as session:
        assert [c.name for c in session.exec(select(Category).order_by(Category.name))] == ["hazelnut", "pcb"]
        assert found.id == 1


def test_a_broken_reference_is_not_taken_for_a_race(store: Store) -> None:
    with store.session() as session:
        row = Promotion(category_id=99, to_id=99, kind="promote", actor="mia")
        with pytest.raises(IntegrityError):
            get_or_create(session, row, lambda: None)


def test_an_unstored_row_has_no_id() -> None:
    with pytest.raises(ValueError, match="not been stored"):
        stored_id(None)


def test_many_rows_survive_a_lost_race(store: Store) -> None:
    with store.session() as session:
        session.add(Category(name="hazelnut"))
    wanted = {name: Category(name=name) for name in ("cap", "hazelnut", "nut")}
    answers: list[dict[str, Category]] = []

    with store.session() as session:

        def find() -> dict[str, Category]:
            # the first look comes before the other process is done
            found = {row.name: row for row in session.exec(select(Category))} if answers else {}
            answers.append(found)
            return found

        stored = get_or_create_many(session, wanted, find)
        session.add(Category(name="after"))
    assert {name: made for name, (_, made) in stored.items()} == {"cap": True, "hazelnut": False, "nut": True}
    assert len({stored_id(row.id) for row, _ in stored.values()}) == 3
    with store.session() as session:
        assert sorted(session.exec(select(Category.name))) == ["after", "cap", "hazelnut", "nut"]


def test_a_broken_reference_among_many_is_no_race(store: Store) -> None:
    wanted = {"one": Promotion(category_id=1, to_id=99, kind="promote", actor="test")}
    with store.session() as session, pytest.raises(IntegrityError):
        get_or_create_many(session, wanted, dict)
