"""Fixtures of all tests: every test has a home of its own under its ``tmp_path``."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from anomalyos.settings import Settings, get_settings

if TYPE_CHECKING:
    from anomalyos.store.engine import Store


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """The process's settings with ``home`` at ``tmp_path``, untouched by the developer's own."""
    for name in [name for name in os.environ if name.startswith("ANOMALYOS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    monkeypatch.setenv("ANOMALYOS_HOME", str(tmp_path))
    get_settings.cache_clear()
    yield get_settings()
    get_settings.cache_clear()


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file at the newest migration, to copy from: quicker than migrating for each test."""
    from anomalyos.store.engine import Store

    home = tmp_path_factory.mktemp("migrated")
    store = Store(Settings(home=home, database_url=f"sqlite:///{home / 'anomalyos.db'}", _env_file=None))
    store.upgrade()
    store.close()
    return home / "anomalyos.db"


@pytest.fixture
def store(settings: Settings, migrated_sqlite: Path) -> Iterator[Store]:
    """An empty store at the newest migration; the one ``open_store(settings)`` returns too."""
    from anomalyos.store.engine import close_stores, open_store

    shutil.copy(migrated_sqlite, settings.home / "anomalyos.db")
    yield open_store(settings)
    close_stores()
