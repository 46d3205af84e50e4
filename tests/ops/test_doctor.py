from __future__ import annotations

import socket
from pathlib import Path

import pytest

from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.ops import doctor


def found(checks: list[doctor.Check], name: str) -> doctor.Check:
    return next(check for check in checks if check.name == name)


def test_a_sound_installation(settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anomalyos.ops.supervisor.ports.is_free", lambda host, port: True)
    checks = doctor.examine(settings)
    assert [check.name for check in checks if not check.ok] == []
    assert found(checks, "database").finding == "sqlite, at the newest schema"


def test_everything_wrong_has_an_advice(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "OLDEST_PYTHON", (9, 0))
    monkeypatch.setattr(doctor, "FREE_BYTES_WANTED", 2**80)
    monkeypatch.setattr(doctor, "locked_versions", lambda text: iter([("typer", "0.0.1"), ("no-such", "1")]))
    (settings.home / "file").touch()
    settings.home = settings.home / "file" / "below"
    checks = doctor.examine(settings)
    for name in ("Python", "disk space", "packages", "folder"):
        assert not found(checks, name).ok
        assert found(checks, name).advice
    assert "no-such is missing, locked 1" in found(checks, "packages").finding


def test_a_database_that_is_not_made_yet_is_no_fault_and_is_not_made(settings: Settings) -> None:
    check = doctor.check_database(settings)
    assert check.ok
    assert "not made yet" in check.finding
    assert not (settings.home / "anomalyos.db").exists()


def test_a_port_another_program_uses(settings: Settings) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        settings.airflow_port = listener.getsockname()[1]
        check = doctor.check_airflow_port(settings)
    assert not check.ok
    assert "ANOMALYOS_AIRFLOW_PORT" in check.advice


def test_a_check_that_breaks_is_a_finding(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(settings: Settings) -> doctor.Check:
        raise RuntimeError("out of order")

    monkeypatch.setattr(doctor, "check_python", broken)
    assert "out of order" in doctor.examine(settings)[0].finding


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[core]\ndags_folder = {root}\nplugins_folder = {root}\nfernet_key = abc\n", "holds a secret"),
        ("[core]\ndags_folder = {root}/none\nplugins_folder = {root}\n", "does not exist"),
        ("dags_folder = x", "cannot be read"),
        (None, "is missing"),
    ],
)
def test_an_airflow_cfg_that_will_not_do(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, word: str
) -> None:
    if text is not None:
        (tmp_path / "airflow.cfg").write_text(text.format(root=tmp_path))
    monkeypatch.setattr(doctor, "PROJECT_ROOT", tmp_path)
    check = doctor.check_airflow_cfg(settings)
    assert not check.ok
    assert word in check.finding


def test_a_password_file_is_no_secret(settings: Settings) -> None:
    assert doctor.check_airflow_cfg(settings).ok


def test_locked_versions_skip_what_is_for_other_platforms() -> None:
    lock = (
        "a==1.0 \\\n    --hash=sha256:00\n    # via b==9\n"
        "b[x]==2.1 ; sys_platform == 'no-such-system' \\\nc==3 ; python_full_version >= '3.11'\n"
    )
    assert list(doctor.locked_versions(lock)) == [("a", "1.0"), ("c", "3")]


def test_damaged_weights(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = tmp_path / "weights.pth"
    damaged.write_bytes(b"x")
    monkeypatch.setattr("anomalyos.ops.doctor.find_weights", lambda key, settings: damaged)
    assert "damaged" in doctor.check_weights(settings).finding
