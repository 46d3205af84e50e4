from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError

from anomalyos.core.errors import NotFound
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.models import promotions
from anomalyos.models import versions as model_versions
from tests.support import workers
from tests.support.rows import category_with_versions, model_version

# on SQLite and on PostgreSQL
pytestmark = pytest.mark.databases


def test_versions_count_up_per_category(store: Store) -> None:
    with store.session() as session:
        hazelnut, _ = category_with_versions(session, "hazelnut", 2)
        pcb, _ = category_with_versions(session, "pcb", 0)
        assert model_versions.next_version(session, hazelnut) == 3
        assert model_versions.next_version(session, pcb) == 1


def test_the_same_inputs_never_make_a_second_version(store: Store) -> None:
    with store.session() as session:
        category_id, (first, _) = category_with_versions(session, "hazelnut", 2)
        again = model_version(category_id, 3)
        again.content_key = model_version(category_id, 1).content_key
        assert model_versions.add(session, again).id == first
        found = model_versions.find_by_content(session, category_id, again.content_key)
        assert found is not None
        assert found.version == 1
        assert model_versions.find_by_content(session, category_id, "e" * 64) is None


def test_two_contents_cannot_share_a_number(store: Store) -> None:
    with store.session() as session:
        category_id, _ = category_with_versions(session, "hazelnut", 1)
        other = model_version(category_id, 1)
        other.content_key = "e" * 64
        with pytest.raises(IntegrityError):
            model_versions.add(session, other)
        assert model_versions.next_version(session, category_id) == 2  # the transaction goes on


def test_versions_are_listed_newest_first(store: Store) -> None:
    with store.session() as session:
        category_with_versions(session, "hazelnut", 3)
        category_with_versions(session, "pcb", 1)
        assert [row.version for row in model_versions.list_versions(session, "hazelnut")] == [3, 2, 1]
        assert len(model_versions.list_versions(session)) == 4
        assert model_versions.list_versions(session, "nothing") == []
        page = model_versions.list_versions(session, "hazelnut", limit=2, offset=1)
        assert [row.version for row in page] == [2, 1]
        assert sorted(model_versions.newest(session).values()) == [(1, None), (3, None)]


def test_a_version_is_found_by_number_and_id(store: Store) -> None:
    with store.session() as session:
        _, ids = category_with_versions(session, "hazelnut", 2)
        assert model_versions.by_version(session, "hazelnut", 2).id == ids[1]
        assert model_versions.get(session, ids[0]).metrics == {"image_auroc": 0.9}
        with pytest.raises(NotFound) as caught:
            model_versions.by_version(session, "hazelnut", 7)
        assert "v2, v1" in caught.value.hint
        with pytest.raises(NotFound):
            model_versions.get(session, 999)


def test_the_champion_is_where_the_pointer_points(store: Store) -> None:
    with store.session() as session:
        category_id, ids = category_with_versions(session, "hazelnut", 2)
        assert model_versions.champion(session, "hazelnut") is None
        assert model_versions.champion(session, "nothing") is None
        promotions.promote(
            session, category_id=category_id, version_id=ids[0], expected_pointer=0, actor="a", reason=""
        )
        champion = model_versions.champion(session, "hazelnut")
        assert champion is not None
        assert champion.id == ids[0]


def test_processes_that_add_the_same_content_get_the_same_row(store: Store, store_settings: Settings) -> None:
    with store.session() as session:
        category_id, _ = category_with_versions(session, "hazelnut", 0)
    outcomes = workers.run_together(workers.add_model, store_settings, [(category_id,)] * 4)
    with store.session() as session:
        (row,) = model_versions.list_versions(session)
    assert outcomes == [row.id] * 4
