"""The door to the database and the object files: one ``Store`` per process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlmodel import Session

from anomalyos.core.settings import Settings
from anomalyos.db import migrate
from anomalyos.db.connection import READ_ONLY, database_url, make_engine
from anomalyos.db.objects import ObjectStore
from anomalyos.db.schema import load_tables


class Store:
    """Database and object files of one installation.

    Opening does not touch the schema: ``upgrade()`` brings it to the newest migration and is
    quick when it is there already. Safe to share between threads, and to inherit over ``fork``.
    """

    def __init__(self, settings: Settings) -> None:
        load_tables()
        self.url = database_url(settings)
        self.engine = make_engine(self.url)
        self._reading = self.engine.execution_options(**{READ_ONLY: True})
        if self.engine.dialect.name == "postgresql":
            self._reading = self._reading.execution_options(postgresql_readonly=True)
        self.objects = ObjectStore(settings.objects_dir)

    @contextmanager
    def session(self, *, read_only: bool = False) -> Iterator[Session]:
        """One transaction: committed when the block ends, rolled back when it raises.

        Rows stay usable afterwards. On SQLite a writing session takes the write lock with its
        first statement, so it waits for its turn instead of failing half way; pages that only
        look should pass ``read_only=True``, which waits for nobody and refuses writes.
        """
        bind = self._reading if read_only else self.engine
        with Session(bind, expire_on_commit=False) as session:
            session.info["read_only"] = read_only
            yield session
            session.commit()

    def upgrade(self) -> None:
        """Bring the schema to the newest migration; several processes may call this at once."""
        migrate.upgrade(self.engine, self.url)
        self.objects.remove_stale_temporaries()

    def check(self) -> None:
        """Raise ``AnomalyOSError`` when the database is out of reach or not at the newest migration."""
        migrate.check(self.engine)

    def close(self) -> None:
        self.engine.dispose()


_open: dict[tuple[str, str], Store] = {}
_open_lock = threading.Lock()


def open_store(settings: Settings) -> Store:
    """The process's store for this database and home, opened once."""
    key = (settings.resolved_database_url(), str(settings.home))
    with _open_lock:
        if key not in _open:
            _open[key] = Store(settings)
        return _open[key]


def close_stores() -> None:
    """Close every store of this process; the next ``open_store`` opens afresh."""
    with _open_lock:
        for store in _open.values():
            store.close()
        _open.clear()
