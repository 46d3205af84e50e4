"""What has to be there before any container works: databases, schemas, pools, the first logins.

Runs once at each start of docker-compose.yaml (``python -m anomalyos.ops.supervisor.container_setup``) and
changes nothing that is there already, except Airflow's passwords: those are what the environment says.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from anomalyos.accounts import users
from anomalyos.core.errors import UnsafeSettings
from anomalyos.core.files.writing import write_text
from anomalyos.core.settings import get_settings
from anomalyos.db.engine import Store, open_store

BESIDE = ("airflow", "mlflow")
"""Databases next to the platform's own, on the same server."""
LOGINS = {
    "admin": "AIRFLOW_ADMIN_PASSWORD",
    "engineer": "ANOMALYOS_AIRFLOW_PASSWORD",
    "viewer": "AIRFLOW_VIEWER_PASSWORD",
}
CONSOLE_PASSWORD = "CONSOLE_ADMIN_PASSWORD"  # noqa: S105 - the variable's name
FIRST_PERSON = "admin"


def require_secrets(environment: Mapping[str, str]) -> None:
    """Raises ``UnsafeSettings`` naming every secret that is missing or shorter than twelve characters."""
    wanted = (*LOGINS.values(), CONSOLE_PASSWORD)
    weak = [name for name in wanted if len(environment.get(name, "")) < 12]
    if weak:
        raise UnsafeSettings(
            f"Missing, or shorter than 12 characters: {', '.join(weak)}.", "Fill in .env; see .env.example."
        )


def make_databases(url: str) -> list[str]:
    """Create those of ``BESIDE`` that the server of ``url`` does not have; returns their names."""
    from sqlalchemy import create_engine, text
    from sqlalchemy.engine import make_url

    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            there = set(connection.scalars(text("SELECT datname FROM pg_database")))
            missing = [name for name in BESIDE if name not in there]
            for name in missing:
                connection.execute(text(f"CREATE DATABASE {name}"))
    finally:
        engine.dispose()
    return missing


def write_logins(path: Path, environment: Mapping[str, str]) -> None:
    """Airflow's users and passwords, for its simple auth manager, readable by this account only."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    logins = {user: environment[name] for user, name in LOGINS.items()}
    write_text(path, json.dumps(logins) + "\n", mode=0o600)


def first_person(store: Store, password: str) -> bool:
    """Whether the console's first administrator had to be made."""
    with store.session() as session:
        if users.find(session, FIRST_PERSON) is not None:
            return False
        users.create(session, name=FIRST_PERSON, password=password, role="admin", actor="setup")
    return True


def main() -> int:
    environment = os.environ
    settings = get_settings()
    settings.check_production()
    require_secrets(environment)
    make_databases(settings.resolved_database_url())
    store = open_store(settings)
    store.upgrade()
    first_person(store, environment[CONSOLE_PASSWORD])
    write_logins(Path(environment["ANOMALYOS_AIRFLOW_PASSWORDS"]), environment)
    setup = [sys.executable, "-P", "-m", "anomalyos.ops.supervisor.airflow_setup"]
    return subprocess.run(setup, check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main())
