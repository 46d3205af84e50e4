"""Classifier versions and the pointer to the one in use."""

from __future__ import annotations

import pytest

from anomalyos.accounts import audit
from anomalyos.classifier import versions as classifier_versions
from anomalyos.classifier.tables import ClassifierVersion
from anomalyos.core.errors import Conflict, NotFound
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.db.rows import stored_id
from tests.support import workers

# on SQLite and on PostgreSQL
pytestmark = pytest.mark.databases


def version(key: str, category: str = "dots") -> ClassifierVersion:
    return ClassifierVersion(
        category=category,
        version=0,
        content_key=key.ljust(64, "0"),
        bundle_path=f"{category}/{key}",
        bundle_sha256="a" * 64,
        metrics={"macro_f1": 0.5},
    )


def add(store: Store, key: str, category: str = "dots") -> int:
    with store.session() as session:
        return stored_id(classifier_versions.add(session, version(key, category))[0].id)


def use(store: Store, version_id: int, expected: int) -> int:
    with store.session() as session:
        moved = classifier_versions.put_in_use(
            session, version_id=version_id, expected_pointer=expected, actor="mia", reason="better"
        )
        return moved.pointer_version


def used(store: Store, category: str = "dots") -> int | None:
    with store.session(read_only=True) as session:
        row = classifier_versions.in_use(session, category)
    return row.version if row is not None else None


def test_the_same_content_is_stored_once_and_numbers_count_by_category(store: Store) -> None:
    with store.session() as session:
        first, created = classifier_versions.add(session, version("a"))
        again, repeated = classifier_versions.add(session, version("a"))
        second, _ = classifier_versions.add(session, version("b"))
        other, _ = classifier_versions.add(session, version("a", "stripes"))
    assert (created, repeated, again.id) == (True, False, first.id)
    assert [row.version for row in (first, second, other)] == [1, 2, 1]
    with store.session(read_only=True) as session:
        listed = classifier_versions.list_versions(session)
        assert [(row.category, row.version) for row in listed] == [("dots", 2), ("dots", 1), ("stripes", 1)]
        found = classifier_versions.find_by_content(session, "dots", "b".ljust(64, "0"))
        assert found is not None
        assert found.version == 2
        assert classifier_versions.find_by_content(session, "stripes", "b".ljust(64, "0")) is None


def test_the_pointer_moves_and_each_move_is_written_down(store: Store) -> None:
    first, second = add(store, "a"), add(store, "b")
    assert used(store) is None
    assert use(store, first, 0) == 1
    assert use(store, second, 1) == 2
    assert (used(store), used(store, "stripes")) == (2, None)
    with store.session(read_only=True) as session:
        newest, oldest = audit.recent(session, subject="category:dots")
    assert (newest.actor, newest.action) == ("mia", "classifier.promote")
    assert newest.detail == {
        "from_id": first,
        "to_id": second,
        "version": 2,
        "pointer": 2,
        "reason": "better",
    }
    assert oldest.detail["from_id"] is None


def test_a_move_decided_on_an_old_state_is_refused(store: Store) -> None:
    first, second = add(store, "a"), add(store, "b")
    use(store, first, 0)
    for expected in (0, 2):
        with pytest.raises(Conflict, match="somebody else"):
            use(store, second, expected)
    with pytest.raises(Conflict, match="in use already"):
        use(store, first, 1)
    with pytest.raises(NotFound):
        use(store, 999, 1)
    assert used(store) == 1
    with store.session(read_only=True) as session:
        assert len(audit.recent(session, action="classifier.promote")) == 1


def move_at_once(settings: Settings, wait: object, version_id: int) -> str:
    store = Store(settings)
    try:
        with store.session(read_only=True) as session:
            present = classifier_versions.pointer(session, "dots")
        wait()
        use(store, version_id, present.pointer_version if present is not None else 0)
    finally:
        store.close()
    return "ok"


@pytest.mark.parametrize("moved_before", [False, True])
def test_of_two_who_move_it_at_once_one_is_told(
    store_settings: Settings, store: Store, moved_before: bool
) -> None:
    first, second, third = (add(store, key) for key in "abc")
    if moved_before:
        use(store, third, 0)
    outcomes = workers.run_together(move_at_once, store_settings, [(first,), (second,)])
    assert sorted(outcomes) == ["Conflict", "ok"]
    assert used(store) in (1, 2)


def test_the_first_judgement_stands(store: Store) -> None:
    number = add(store, "a")
    with store.session() as session:
        classifier_versions.record_judgement(session, number, False, "worse")
    with store.session() as session:
        with pytest.raises(Conflict, match="judged before"):
            classifier_versions.record_judgement(session, number, True, "better")
        row = classifier_versions.get(session, number)
        assert (row.gate_passed, row.gate_reason) == (False, "worse")


def test_files_made_again_are_written_down(store: Store) -> None:
    number = add(store, "a")
    with store.session() as session:
        classifier_versions.replace_bundle(session, number, "b" * 64, "mia")
    with store.session(read_only=True) as session:
        assert classifier_versions.get(session, number).bundle_sha256 == "b" * 64
        (event,) = audit.recent(session, action="classifier.repair")
    assert event.detail == {"version": 1, "from": "a" * 64, "to": "b" * 64}
