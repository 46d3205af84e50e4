"""Connections to the configured database, with the rules of this project."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError

from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.settings import Settings

BUSY_TIMEOUT_MS = 30_000
READ_ONLY = "anomalyos_read_only"


def database_url(settings: Settings) -> URL:
    """The configured database, with the driver this project ships.

    Raises:
        AnomalyOSError: for anything but a PostgreSQL URL or a SQLite file. The message never
            holds the URL, which may hold a password.
    """
    hint = "Set ANOMALYOS_DATABASE_URL to postgresql://USER:PASSWORD@HOST/NAME, or leave it empty for SQLite."
    try:
        url = make_url(settings.resolved_database_url())
    except ArgumentError as error:
        raise AnomalyOSError("ANOMALYOS_DATABASE_URL is not a database URL.", hint) from error
    backend = url.drivername.split("+")[0]
    if backend in {"postgresql", "postgres"}:
        return url.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise AnomalyOSError(f"The database {backend!r} is not supported.", hint)
    if not url.database or url.database == ":memory:":
        raise AnomalyOSError("An in-memory database cannot be shared between processes.", hint)
    return url.set(drivername="sqlite")


def make_engine(url: URL, *, foreign_keys: bool = True) -> Engine:
    """Engine with the connection rules of this project.

    ``foreign_keys=False`` is for migrations, which rebuild SQLite tables row by row.
    """
    if url.get_backend_name() == "sqlite":
        _create_database_file(Path(str(url.database)))
        engine = create_engine(url, json_serializer=_to_json)
        _configure_sqlite(engine, foreign_keys=foreign_keys)
    else:
        engine = create_engine(url, json_serializer=_to_json, pool_pre_ping=True)
    _drop_connections_of_the_parent(engine)
    return engine


def _to_json(value: Any) -> str:
    """NaN is no JSON: PostgreSQL would refuse it, and SQLite hand it to a browser that does."""
    return json.dumps(value, allow_nan=False)


def _create_database_file(path: Path) -> None:
    """Password hashes live in it: only its owner may read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600, exist_ok=True)


def _configure_sqlite(engine: Engine, *, foreign_keys: bool) -> None:
    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: Any) -> None:
        # the driver must not open transactions on its own: `begin` below does
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA journal_mode = WAL")
        # in WAL mode a power cut may lose the last commit with NORMAL; reviews must not be lost
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        reading = bool(connection.get_execution_options().get(READ_ONLY))
        connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if reading else 'OFF'}")
        # a deferred transaction that reads first and writes later fails at once, without waiting,
        # when somebody wrote in between
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _drop_connections_of_the_parent(engine: Engine) -> None:
    """A forked task must not talk over the connection of the process that forked it."""

    @event.listens_for(engine, "connect")
    def remember(connection: Any, record: Any) -> None:
        record.info["pid"] = os.getpid()

    @event.listens_for(engine, "checkout")
    def refuse(connection: Any, record: Any, proxy: Any) -> None:
        if record.info["pid"] != os.getpid():
            record.dbapi_connection = proxy.dbapi_connection = None
            raise DisconnectionError("the connection belongs to the parent process")
