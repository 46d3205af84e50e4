"""The old home, unpacked once and copied for each test."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store, close_stores, open_store

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("old")
    with tarfile.open(HERE / "home.tar.xz") as archive:
        archive.extractall(home, filter="data")
    return home


@pytest.fixture
def old(settings: Settings, unpacked: Path) -> Iterator[Store]:
    """The old home under ``settings.home``, its database upgraded."""
    shutil.copytree(unpacked, settings.home, dirs_exist_ok=True)
    store = open_store(settings)
    store.upgrade()
    yield store
    close_stores()
