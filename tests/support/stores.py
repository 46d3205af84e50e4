"""Stores of tests. Those marked ``databases`` run on SQLite and on PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import pytest
from sqlalchemy import Connection, create_engine

from anomalyos.core.settings import Settings, get_settings
from anomalyos.db.engine import Store, close_stores, open_store
from tests.support import postgres

TEMPLATE = "migrated"
_numbers = count(1)


@dataclass(frozen=True)
class Cluster:
    """A running server; ``url`` holds ``{database}``."""

    url: str
    admin: Connection

    def sql(self, statement: str) -> None:
        self.admin.exec_driver_sql(statement)


@pytest.fixture(scope="session")
def postgres_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster with one migrated database to copy from; skips where there is no server."""
    reason = postgres.why_unavailable()
    if reason:
        pytest.skip(reason)
    with postgres.cluster() as url:
        engine = create_engine(url.format(database="postgres"), isolation_level="AUTOCOMMIT")
        running = Cluster(url, engine.connect())
        running.sql(f"CREATE DATABASE {TEMPLATE}")
        home = tmp_path_factory.mktemp("pg")
        store = Store(Settings(home=home, database_url=url.format(database=TEMPLATE), _env_file=None))
        store.upgrade()
        store.close()
        yield running
        running.admin.close()
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
    name = f"test_{next(_numbers)}"
    running.sql(f"CREATE DATABASE {name} TEMPLATE {template}")
    monkeypatch.setenv("ANOMALYOS_DATABASE_URL", running.url.format(database=name))
    get_settings.cache_clear()
    yield get_settings()
    close_stores()
    running.sql(f"DROP DATABASE {name} WITH (FORCE)")
