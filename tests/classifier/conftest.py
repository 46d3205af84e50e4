"""A home with a trained classifier, made once and copied."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from anomalyos.classifier import train
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from tests.classifier import drawn
from tests.support.shared import build_once


@pytest.fixture(scope="session")
def trained_home(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Path:
    def build(home: Path) -> None:
        shutil.copy(migrated_sqlite, home / "anomalyos.db")
        settings = Settings(home=home, database_url=f"sqlite:///{home / 'anomalyos.db'}", _env_file=None)
        store = Store(settings)
        drawn.fill(store)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(train, "log_classifier", lambda *args, **more: {})
            result = drawn.train(store, settings)
        assert result["promoted"], result["reason"]
        store.close()

    return build_once(tmp_path_factory, "trained", build)


@pytest.fixture
def trained(settings: Settings, trained_home: Path) -> Iterator[Store]:
    """A store with three kinds of defects of ``dots``, and a classifier in use that tells them apart."""
    from anomalyos.db.engine import close_stores, open_store

    shutil.copytree(trained_home, settings.home, dirs_exist_ok=True)
    yield open_store(settings)
    close_stores()
