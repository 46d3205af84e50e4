from __future__ import annotations

import pytest

from anomalyos.core.errors import AnomalyOSError, NotFound
from anomalyos.db.engine import Store
from anomalyos.models import categories

# on SQLite and on PostgreSQL
pytestmark = pytest.mark.databases


def test_ensure_finds_what_it_made(store: Store) -> None:
    with store.session() as session:
        first = categories.ensure(session, "hazelnut")
        assert categories.ensure(session, "hazelnut").id == first.id
        assert categories.by_name(session, "hazelnut").id == first.id


def test_the_synthetic_mark_changes_only_when_it_is_given(store: Store) -> None:
    with store.session() as session:
        assert categories.ensure(session, "bottle", synthetic=True).synthetic
        assert categories.ensure(session, "bottle").synthetic
        assert not categories.ensure(session, "bottle", synthetic=False).synthetic


def test_an_unknown_name_lists_the_known_ones(store: Store) -> None:
    with store.session() as session:
        categories.ensure(session, "pcb")
        categories.ensure(session, "hazelnut")
        with pytest.raises(NotFound) as caught:
            categories.by_name(session, "hazelnuts")
        assert "hazelnut, pcb" in caught.value.hint
        assert [category.name for category in categories.list_all(session)] == ["hazelnut", "pcb"]


@pytest.mark.parametrize("name", ["", "  ", "x" * 65, "a\0b"])
def test_names_no_database_can_hold_are_refused(store: Store, name: str) -> None:
    with store.session() as session, pytest.raises(AnomalyOSError):
        categories.ensure(session, name)
