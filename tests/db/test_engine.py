from __future__ import annotations

import multiprocessing
import os
import stat
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError, OperationalError, SQLAlchemyError, StatementError
from sqlmodel import select

from anomalyos.accounts import audit
from anomalyos.accounts.tables import AuditEvent
from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.settings import Settings
from anomalyos.db.connection import database_url
from anomalyos.db.engine import Store, close_stores, open_store
from anomalyos.inspection import batches
from anomalyos.inspection.tables import Inspection
from anomalyos.models import categories
from anomalyos.models.tables import Category
from tests.support.rows import inspection

# on SQLite and on PostgreSQL
pytestmark = pytest.mark.databases


def names(store: Store) -> list[str]:
    with store.session(read_only=True) as session:
        return [category.name for category in categories.list_all(session)]


def test_a_session_commits_and_its_rows_stay_usable(store: Store) -> None:
    with store.session() as session:
        category = categories.ensure(session, "hazelnut")
    assert category.name == "hazelnut"
    assert names(store) == ["hazelnut"]


def test_a_session_that_raises_leaves_nothing(store: Store) -> None:
    def fail_half_way() -> None:
        with store.session() as session:
            categories.ensure(session, "hazelnut")
            audit.write(session, actor="mia", action="test", subject="category:hazelnut")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert names(store) == []
    with store.session() as session:
        assert audit.recent(session) == []


def test_a_read_only_session_refuses_to_write(store: Store) -> None:
    with pytest.raises(SQLAlchemyError, match=r"read-?only"), store.session(read_only=True) as session:
        categories.ensure(session, "hazelnut")
    with store.session() as session:  # the same pooled connection writes again
        categories.ensure(session, "pcb")
    assert names(store) == ["pcb"]


def test_a_reader_does_not_wait_for_a_writer(store: Store) -> None:
    with store.session() as writing:
        categories.ensure(writing, "hazelnut")
        assert names(store) == []
    assert names(store) == ["hazelnut"]


def test_references_to_nothing_are_refused(store: Store) -> None:
    with pytest.raises(IntegrityError), store.session() as session:
        session.add(Inspection(work_key="k", batch_id=99, source="a", content_sha256="b", verdict="normal"))
    with pytest.raises(IntegrityError), store.session() as session:
        session.add(Category(name="hazelnut", champion_id=99))


def _append_in_child(store: Store, queue: Any) -> None:
    try:
        with store.engine.connect() as connection:
            opened_by = connection.connection.info.get("opened by", "nobody else")
        with store.session() as session:
            categories.ensure(session, "from the child")
        queue.put(opened_by)
    except Exception as error:  # noqa: BLE001  (whatever it is, the test must see it)
        queue.put(repr(error))


def test_a_store_may_be_inherited_over_fork(store: Store) -> None:
    with store.session() as session:
        categories.ensure(session, "from the parent")
    with store.engine.connect() as connection:
        connection.connection.info["opened by"] = "the parent"
    context = multiprocessing.get_context("fork")
    queue: Any = context.Queue()
    child = context.Process(target=_append_in_child, args=(store, queue))
    child.start()
    assert queue.get(timeout=60) == "nobody else"  # a connection of its own
    child.join(60)
    assert child.exitcode == 0
    with store.session() as session:
        categories.ensure(session, "from the parent again")
    assert names(store) == ["from the child", "from the parent", "from the parent again"]


def test_times_come_back_as_the_same_moment_in_utc(store: Store) -> None:
    moment = datetime(2026, 11, 24, 23, 30, 1, 250, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    with store.session() as session:
        session.add(AuditEvent(actor="a", action="b", subject="c", created_at=moment))
    with store.session() as session:
        (event,) = session.exec(select(AuditEvent)).all()
    assert event.created_at == moment
    assert event.created_at.utcoffset() == timedelta(0)


@hypothesis_settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    moment=st.datetimes(
        min_value=datetime(1900, 1, 2), max_value=datetime(2200, 1, 1), timezones=st.timezones()
    )
)
def test_any_moment_survives(store: Store, moment: datetime) -> None:
    with store.session() as session:
        event = audit.write(session, actor="a", action="b", subject="c")
        event.created_at = moment
        session.flush()
        session.expire(event)
        assert event.created_at == moment.astimezone(UTC)


def test_a_naive_time_is_refused(store: Store) -> None:
    with pytest.raises(StatementError, match="naive"), store.session() as session:
        session.add(AuditEvent(actor="a", action="b", subject="c", created_at=datetime(2026, 1, 1)))


def test_json_columns_round_trip(store: Store) -> None:
    regions = [{"x": 1, "peak": 0.25, "note": "größer ✓"}]
    with store.session() as session:
        row_id = inspection(session, regions=regions, timings_ms={"total": 12.5})
    with store.session() as session:
        row = session.get_one(Inspection, row_id)
        assert row.regions == regions
        assert row.timings_ms == {"total": 12.5}


def test_numbers_that_json_does_not_know_are_refused(store: Store) -> None:
    with pytest.raises((StatementError, ValueError), match="JSON"), store.session() as session:
        inspection(session, timings_ms={"total": float("nan")})


def test_a_store_is_opened_once_per_database(store_settings: Settings) -> None:
    first = open_store(store_settings)
    assert open_store(store_settings) is first
    close_stores()
    assert open_store(store_settings) is not first


def test_batches_reach_the_database_the_settings_name(store: Store, store_settings: Settings) -> None:
    with store.session() as session:
        batches.get_or_create(session, key="night", kind="nightly", day="2026-11-24")
    other = Store(store_settings)
    with other.session() as session:
        assert batches.by_key(session, "night").day == "2026-11-24"
    other.close()


@pytest.mark.parametrize(
    ("given_url", "used"),
    [
        ("postgres://a:b@host/name", "postgresql+psycopg://a:b@host/name"),
        ("postgresql://a:b@host/name", "postgresql+psycopg://a:b@host/name"),
        ("postgresql+psycopg2://host/name", "postgresql+psycopg://host/name"),
    ],
)
def test_postgres_urls_get_the_driver_we_ship(settings: Settings, given_url: str, used: str) -> None:
    settings.database_url = given_url
    assert database_url(settings).render_as_string(hide_password=False) == used


@pytest.mark.parametrize(
    "url", ["mysql://mia:opensesame@host/db", "sqlite://", "sqlite:///:memory:", "opensesame"]
)
def test_other_databases_are_refused_without_showing_the_url(settings: Settings, url: str) -> None:
    settings.database_url = url
    with pytest.raises(AnomalyOSError) as caught:
        database_url(settings)
    assert "opensesame" not in str(caught.value)
    assert "ANOMALYOS_DATABASE_URL" in caught.value.hint


def test_only_the_owner_may_read_the_sqlite_file(settings: Settings, tmp_path: Path) -> None:
    settings.home = tmp_path / "new" / "home"
    store = Store(settings)
    store.upgrade()
    mode = stat.S_IMODE(os.stat(settings.home / "anomalyos.db").st_mode)  # noqa: PTH116
    store.close()
    assert mode & 0o077 == 0


def test_an_sqlite_reader_cannot_hold_a_writer_up(settings: Settings, migrated_sqlite: Path) -> None:
    settings.home.joinpath("anomalyos.db").write_bytes(migrated_sqlite.read_bytes())
    store = Store(settings)
    with store.session(read_only=True) as reading:
        assert list(categories.list_all(reading)) == []
        with store.session() as writing:
            categories.ensure(writing, "hazelnut")
        assert list(categories.list_all(reading)) == []  # one transaction sees one state
    store.close()


def test_sqlite_writers_queue_up_from_their_first_statement(
    settings: Settings, migrated_sqlite: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.home.joinpath("anomalyos.db").write_bytes(migrated_sqlite.read_bytes())
    monkeypatch.setattr("anomalyos.db.connection.BUSY_TIMEOUT_MS", 50)
    store = Store(settings)
    with store.session() as first:
        categories.list_all(first)  # reads only, and yet nobody may come in between
        with pytest.raises(OperationalError, match="locked"), store.session() as second:
            categories.list_all(second)
    store.close()
