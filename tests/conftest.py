"""Fixtures of all tests: every test has a home of its own under its ``tmp_path``."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from anomalyos.core.settings import Settings, get_settings

if TYPE_CHECKING:
    from anomalyos.db.engine import Store


pytest_plugins = ["tests.support.stores"]

LONGEST = ("tests/e2e/test_nightly_kill.py", "tests/e2e/test_any_kill.py")
"""Files that one process would still be busy with when the others have nothing left to do."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


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
    from anomalyos.db.engine import Store

    home = tmp_path_factory.mktemp("migrated")
    store = Store(Settings(home=home, database_url=f"sqlite:///{home / 'anomalyos.db'}", _env_file=None))
    store.upgrade()
    store.close()
    return home / "anomalyos.db"


@pytest.fixture(scope="session")
def migrated_airflow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Airflow's own SQLite file, migrated and empty, to copy into a home's ``airflow`` folder."""
    import subprocess

    from anomalyos.ops.supervisor.airflow_env import airflow_command, airflow_environment

    settings = Settings(home=tmp_path_factory.mktemp("airflow"), _env_file=None)
    migrate = airflow_command("db", "migrate")
    subprocess.run(migrate, env=airflow_environment(settings), check=True, capture_output=True)
    return settings.airflow_home / "airflow.db"


@pytest.fixture(scope="session")
def built_home(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Path:
    """A home with two small products learned and promoted, to copy from."""
    from anomalyos.db.engine import Store
    from anomalyos.learning.rebuild import rebuild_category
    from tests.support.products import write_product

    home = tmp_path_factory.mktemp("built")
    shutil.copy(migrated_sqlite, home / "anomalyos.db")
    settings = Settings(home=home, database_url=f"sqlite:///{home / 'anomalyos.db'}", _env_file=None)
    store = Store(settings)
    for product in ("stripes", "dots"):
        write_product(settings.data_dir, product, good=2, flawed=2)
        rebuild_category(product, settings, store)
    store.close()
    return home


@pytest.fixture
def built(settings: Settings, built_home: Path) -> Iterator[Store]:
    """A store whose home knows the products ``stripes`` and ``dots``, with data and champions."""
    from anomalyos.db.engine import close_stores, open_store

    shutil.copytree(built_home, settings.home, dirs_exist_ok=True)
    yield open_store(settings)
    close_stores()
