"""Fixtures of all tests: every test has a home of its own under its ``tmp_path``."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from argon2 import PasswordHasher

from anomalyos.accounts import rules
from anomalyos.core.settings import Settings, get_settings
from tests.support.shared import build_once

if TYPE_CHECKING:
    from anomalyos.db.engine import Store
    from tests.dags.runner import DagServer


pytest_plugins = ["tests.support.stores", "tests.support.schedule"]

# The processes of a test run have a core each: torch's threads would only wait for each other's. What tests
# start themselves inherits this.
os.environ["ANOMALYOS_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"
# Choosing a recipe takes a minute; what chooses has tests of its own.
os.environ["ANOMALYOS_RECIPE"] = "lite"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """The process's settings with ``home`` at ``tmp_path``, untouched by the developer's own."""
    for name in [name for name in os.environ if name.startswith("ANOMALYOS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    monkeypatch.setenv("ANOMALYOS_HOME", str(tmp_path))
    monkeypatch.setenv("ANOMALYOS_THREADS", "1")
    monkeypatch.setenv("ANOMALYOS_RECIPE", "lite")
    get_settings.cache_clear()
    yield get_settings()
    get_settings.cache_clear()


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cheapest hashes argon2 makes; ``tests/accounts/test_rules.py`` asks for those of production."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(rules, "hasher", lambda: cheap)
    rules.dummy_hash.cache_clear()


@pytest.fixture(autouse=True)
def follow_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow's aliases follow the pointer in this process, where MLflow is imported already.

    A process of its own imports it for seconds, for each promotion; ``tests/models/test_experiment_log.py``
    starts one.
    """
    from anomalyos.db.engine import Store
    from anomalyos.models import aliases

    def follow(settings: Settings, category: str) -> None:
        if (settings.home / "mlflow.db").is_file():
            store = Store(settings)
            aliases.follow_pointer(settings, store, category)
            store.close()

    monkeypatch.setattr(aliases, "follow_soon", follow)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file at the newest migration, to copy from: quicker than migrating for each test."""
    from anomalyos.db.engine import Store

    def build(home: Path) -> None:
        store = Store(_settings(home))
        store.upgrade()
        store.close()

    return build_once(tmp_path_factory, "migrated", build) / "anomalyos.db"


@pytest.fixture(scope="session")
def migrated_airflow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Airflow's own SQLite file, migrated and empty, to copy into a home's ``airflow`` folder."""
    from anomalyos.ops.supervisor.airflow_env import airflow_command, airflow_environment

    def build(home: Path) -> None:
        migrate = airflow_command("db", "migrate")
        environment = airflow_environment(Settings(home=home, _env_file=None))
        subprocess.run(migrate, env=environment, check=True, capture_output=True)

    return build_once(tmp_path_factory, "airflow", build) / "airflow" / "airflow.db"


@pytest.fixture(scope="session")
def dag_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DagServer]:
    """One process that has imported all that DAGs need and forks for each run."""
    from anomalyos.ops.supervisor.airflow_env import airflow_environment
    from tests.dags.runner import serve

    home = tmp_path_factory.mktemp("dag-server")
    with serve(airflow_environment(Settings(home=home, _env_file=None)), home / "server.log") as server:
        yield server


@pytest.fixture(scope="session")
def built_home(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Path:
    """A home with two small products learned and promoted, to copy from."""
    from anomalyos.db.engine import Store
    from anomalyos.learning.rebuild import rebuild_category
    from tests.support.products import write_product

    def build(home: Path) -> None:
        shutil.copy(migrated_sqlite, home / "anomalyos.db")
        settings = _settings(home)
        store = Store(settings)
        for product in ("stripes", "dots"):
            write_product(settings.data_dir, product, good=2, flawed=2)
            rebuild_category(product, settings, store)
        store.close()

    return build_once(tmp_path_factory, "built", build)


@pytest.fixture
def built(settings: Settings, built_home: Path) -> Iterator[Store]:
    """A store whose home knows the products ``stripes`` and ``dots``, with data and champions."""
    from anomalyos.db.engine import close_stores, open_store

    shutil.copytree(built_home, settings.home, dirs_exist_ok=True)
    yield open_store(settings)
    close_stores()


def _settings(home: Path) -> Settings:
    return Settings(home=home, database_url=f"sqlite:///{home / 'anomalyos.db'}", _env_file=None)
