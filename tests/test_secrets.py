"""Generated secrets: one for all processes, whole from the first moment, nobody else's to read."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from pydantic import SecretStr

from anomalyos.core.errors import UnsafeSettings
from anomalyos.core.settings import Settings, read_or_create_secret


def test_everybody_who_starts_at_once_gets_the_same_whole_secret(tmp_path: Path) -> None:
    for attempt in range(20):
        path = tmp_path / str(attempt) / "session"
        barrier, seen = threading.Barrier(8), []

        def start(path: Path = path, barrier: threading.Barrier = barrier, seen: list[str] = seen) -> None:
            barrier.wait()
            seen.append(read_or_create_secret(path))

        threads = [threading.Thread(target=start) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(seen) == 8
        assert set(seen) == {path.read_text()}
        assert len(seen[0]) >= 43
        assert path.stat().st_mode & 0o777 == 0o600
        assert [entry.name for entry in path.parent.iterdir()] == ["session"]


def test_production_refuses_what_is_fine_on_a_laptop(settings: Settings) -> None:
    settings.check_production()
    settings.environment = "production"
    with pytest.raises(UnsafeSettings, match=r"SESSION_SECRET.*HTTPS_ONLY.*DATABASE_URL"):
        settings.check_production()
    with pytest.raises(UnsafeSettings, match="ANOMALYOS_SESSION_SECRET is not set"):
        settings.resolved_session_secret()
    settings.session_secret = SecretStr("x" * 32)
    settings.https_only = True
    settings.database_url = "postgresql://db/anomalyos"
    settings.check_production()
    assert settings.resolved_session_secret() == "x" * 32
