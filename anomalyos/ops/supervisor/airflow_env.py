"""The environment Airflow runs in: where its files are, its secrets and its first passwords."""

from __future__ import annotations

import json
import os
import secrets
import sys
from typing import TYPE_CHECKING

from anomalyos.core.settings import PROJECT_ROOT, Settings, read_or_create_secret

if TYPE_CHECKING:
    from pathlib import Path

AIRFLOW_USERS = ("admin", "engineer", "viewer")
"""The names in ``[core] simple_auth_manager_users`` of airflow.cfg."""


def airflow_environment(settings: Settings) -> dict[str, str]:
    """This process's environment plus all that airflow.cfg refers to as ``${NAME}``, and the secrets.

    The secrets are made once under ``home/secrets``; what the caller's environment sets already wins.
    """
    keys = settings.home / "secrets"
    values = {
        "AIRFLOW_CONFIG": str(PROJECT_ROOT / "airflow.cfg"),
        "AIRFLOW_HOME": str(settings.airflow_home),
        "ANOMALYOS_ROOT": str(PROJECT_ROOT),
        "ANOMALYOS_HOME": str(settings.home),
        "ANOMALYOS_AIRFLOW_HOST": settings.airflow_host,
        "ANOMALYOS_AIRFLOW_PORT": str(settings.airflow_port),
        "ANOMALYOS_AIRFLOW_URL": settings.airflow_url,
        "ANOMALYOS_AIRFLOW_PASSWORDS": str(passwords_file(settings)),
    }
    generated = {
        "AIRFLOW__API_AUTH__JWT_SECRET": read_or_create_secret(keys / "airflow_jwt"),
        "AIRFLOW__API__SECRET_KEY": read_or_create_secret(keys / "airflow_api"),
        # 32 bytes in url-safe base64, as Fernet wants them, padding included
        "AIRFLOW__CORE__FERNET_KEY": read_or_create_secret(keys / "airflow_fernet") + "=",
    }
    settings.airflow_home.mkdir(parents=True, exist_ok=True)
    return generated | dict(os.environ) | values


def airflow_command(*arguments: str) -> list[str]:
    return [sys.executable, "-P", "-m", "airflow", *arguments]


def passwords_file(settings: Settings) -> Path:
    return settings.home / "secrets" / "airflow_passwords.json"


def first_passwords(settings: Settings) -> dict[str, str] | None:
    """Passwords made for Airflow's users, None when the file is there already.

    Airflow would print generated ones into its log; written beforehand, they are shown once on the
    terminal and kept, mode 0600, in :func:`passwords_file`.
    """
    path = passwords_file(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    passwords = {user: secrets.token_urlsafe(12) for user in AIRFLOW_USERS}
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return None
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(json.dumps(passwords) + "\n")
    return passwords
