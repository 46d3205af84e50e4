from __future__ import annotations

import base64
import configparser
import re
import stat

import pytest

from anomalyos.core.settings import PROJECT_ROOT, Settings
from anomalyos.ops.supervisor.airflow_env import (
    AIRFLOW_USERS,
    airflow_environment,
    first_passwords,
    passwords_file,
)


def test_every_name_in_airflow_cfg_is_set(settings: Settings) -> None:
    names = set(re.findall(r"\$\{(\w+)\}", (PROJECT_ROOT / "airflow.cfg").read_text())) - {"NAME"}
    assert names <= set(airflow_environment(settings))
    assert len(names) >= 5


def test_secrets_are_long_made_once_and_private(settings: Settings) -> None:
    first, second = airflow_environment(settings), airflow_environment(settings)
    names = ("AIRFLOW__API_AUTH__JWT_SECRET", "AIRFLOW__API__SECRET_KEY", "AIRFLOW__CORE__FERNET_KEY")
    assert len({first[name] for name in names}) == 3
    for name in names:
        assert first[name] == second[name]
        assert len(first[name]) >= 43
    assert len(base64.urlsafe_b64decode(first["AIRFLOW__CORE__FERNET_KEY"])) == 32
    for path in (settings.home / "secrets").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_secret_from_outside_wins(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "mine")
    assert airflow_environment(settings)["AIRFLOW__CORE__FERNET_KEY"] == "mine"


def test_passwords_are_made_once_for_the_users_of_airflow_cfg(settings: Settings) -> None:
    parser = configparser.RawConfigParser()
    parser.read(PROJECT_ROOT / "airflow.cfg")
    users = [pair.split(":")[0] for pair in parser.get("core", "simple_auth_manager_users").split(",")]
    passwords = first_passwords(settings)
    assert passwords is not None
    assert sorted(passwords) == sorted(users) == sorted(AIRFLOW_USERS)
    assert len(set(passwords.values())) == len(users)
    assert min(len(password) for password in passwords.values()) >= 16
    assert stat.S_IMODE(passwords_file(settings).stat().st_mode) == 0o600
    assert first_passwords(settings) is None


def test_airflow_listens_on_this_machine_only(settings: Settings) -> None:
    assert airflow_environment(settings)["ANOMALYOS_AIRFLOW_HOST"] == "127.0.0.1"
