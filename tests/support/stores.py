"""Stores of tests. Those marked ``databases`` run on SQLite and on PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import pytest
from sqlalchemy import Connection, Engine, create_engine

from anomalyos.core.settings import Settings, get_settings
from anomalyos.db.engine import Store, close_stores, open_store
from tests.support import postgres

TEMPLATE = "migrated"
USED = "used"
"""The database tests take turns with: emptied after each of them, which is quicker than a new one."""
_numbers = count(1)


@dataclass(frozen=True)
class Cluster:
    """A running server; ``url`` holds ``{database}``."""

    url: str
    admin: Connection
    tables: list[tuple[str, str]]

    def sql(self, statement: str) -> None:
        self.admin.exec_driver_sql(statement)

    def create(self, name: str, template: str) -> None:
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template}")

    def drop(self, name: str) -> None:
        self.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def engine(self, name: str) -> Engine:
        return create_engine(self.url.format(database=name), isolation_level="AUTOCOMMIT")

    def empty(self, name: str) -> None:
        """As the template is: without rows, counting from 1; made anew when a test changed its tables."""
        self.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")  # noqa: S608
        engine = self.engine(name)
        with engine.connect() as connection:
            same = _tables(connection) == self.tables
            filled = _filled(connection, self.tables) if same else []
            if filled:
                names = ", ".join(f'"{table}"' for table in filled)
                connection.exec_driver_sql(f"TRUNCATE {names} RESTART IDENTITY CASCADE")
        engine.dispose()
        if not same:
            self.drop(name)
            self.create(name, TEMPLATE)


def _tables(connection: Connection) -> list[tuple[str, str]]:
    """Every column of every table, and the newest migration."""
    columns = connection.exec_driver_sql(
        "SELECT table_name, column_name || ' ' || data_type FROM information_schema.columns "
        "WHERE table_schema = 'public' ORDER BY 1, 2"
    ).all()
    newest = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one()
    return [*((str(table), str(column)) for table, column in columns), ("alembic_version", str(newest))]


def _filled(connection: Connection, tables: list[tuple[str, str]]) -> list[str]:
    """The tables that hold rows or have numbered some; the migrations' own counts as none."""
    names = sorted({table for table, _ in tables} - {"alembic_version"})
    asked = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM \"{name}\")" for name in names)  # noqa: S608
    held = {str(name) for name in connection.exec_driver_sql(asked).scalars()}
    counting = "SELECT sequencename FROM pg_sequences WHERE last_value IS NOT NULL"
    counted = {str(name).removesuffix("_id_seq") for name in connection.exec_driver_sql(counting).scalars()}
    return sorted(held | (counted & set(names)))


@pytest.fixture(scope="session")
def postgres_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster of this process with a migrated database; skips where there is no server."""
    reason = postgres.why_unavailable()
    if reason:
        pytest.skip(reason)
    with postgres.cluster() as url:
        engine = create_engine(url.format(database="postgres"), isolation_level="AUTOCOMMIT")
        admin = engine.connect()
        admin.exec_driver_sql(f"CREATE DATABASE {TEMPLATE}")
        home = tmp_path_factory.mktemp("pg")
        store = Store(Settings(home=home, database_url=url.format(database=TEMPLATE), _env_file=None))
        store.upgrade()
        with store.engine.connect() as connection:
            tables = _tables(connection)
        store.close()
        running = Cluster(url, admin, tables)
        running.create(USED, TEMPLATE)
        yield running
        admin.close()
        engine.dispose()


BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "backend" in metafunc.fixturenames and metafunc.definition.get_closest_marker("databases"):
        metafunc.parametrize("backend", BOTH, indirect=True)


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> str:
    """The database of a test's store: both in turn under ``pytest.mark.databases``, else SQLite."""
    return str(getattr(request, "param", "sqlite"))


@pytest.fixture
def empty_settings(
    settings: Settings, backend: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    """Settings whose database has no tables yet."""
    yield from _settings_on(settings, backend, request, monkeypatch, template="template0")


@pytest.fixture
def store_settings(
    settings: Settings, backend: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    """Settings whose database is at the newest migration."""
    if backend == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_sqlite"), settings.home / "anomalyos.db")
    yield from _settings_on(settings, backend, request, monkeypatch, template=TEMPLATE)


@pytest.fixture
def store(store_settings: Settings) -> Iterator[Store]:
    """An empty store at the newest migration; the one ``open_store(store_settings)`` returns too."""
    yield open_store(store_settings)
    close_stores()


def _settings_on(
    settings: Settings,
    backend: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    *,
    template: str,
) -> Iterator[Settings]:
    if backend == "sqlite":
        yield settings
        close_stores()
        return
    running: Cluster = request.getfixturevalue("postgres_cluster")
    name = USED if template == TEMPLATE else f"test_{next(_numbers)}"
    if name != USED:
        running.create(name, template)
    monkeypatch.setenv("ANOMALYOS_DATABASE_URL", running.url.format(database=name))
    get_settings.cache_clear()
    yield get_settings()
    close_stores()
    running.empty(name) if name == USED else running.drop(name)
