"""The one-shot of docker-compose on a real PostgreSQL, and the composition itself."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from sqlalchemy import create_engine, text

from anomalyos.accounts import users
from anomalyos.core.errors import UnsafeSettings
from anomalyos.core.settings import PROJECT_ROOT, Settings
from anomalyos.db.engine import Store
from anomalyos.ops.supervisor import container_setup
from anomalyos.ops.supervisor.airflow_env import airflow_environment
from tests.support import postgres

REASON = postgres.why_unavailable()
SECRET = "a-long-secret-of-32-characters-or-more"
COMPOSE = shutil.which("docker-compose")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Pattern of URLs of a cluster with the platform's own database in it."""
    with postgres.cluster() as url:
        engine = create_engine(url.format(database="postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text("CREATE DATABASE anomalyos"))
        engine.dispose()
        yield url


@pytest.mark.postgres
@pytest.mark.skipif(bool(REASON), reason=str(REASON))
def test_everything_is_there_after_one_run_and_a_second_changes_nothing(server: str, tmp_path: Path) -> None:
    database = server.format(database="anomalyos")
    airflow = server.format(database="airflow").replace("+psycopg:", "+psycopg2:")
    environment = airflow_environment(Settings(home=tmp_path, _env_file=None)) | {
        "ANOMALYOS_ENVIRONMENT": "production",
        "ANOMALYOS_DATABASE_URL": database,
        "ANOMALYOS_SESSION_SECRET": SECRET,
        "ANOMALYOS_HTTPS_ONLY": "true",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": airflow,
        **{name: f"{name.lower()}-secret" for name in container_setup.LOGINS.values()},
        container_setup.CONSOLE_PASSWORD: "first-password-of-many",
    }
    command = [sys.executable, "-P", "-m", "anomalyos.ops.supervisor.container_setup"]
    for _ in range(2):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=PROJECT_ROOT)
        assert done.returncode == 0, done.stderr[-3000:]
        assert "first-password-of-many" not in done.stdout + done.stderr
    logins = Path(environment["ANOMALYOS_AIRFLOW_PASSWORDS"])
    assert json.loads(logins.read_text()) == {
        "admin": "airflow_admin_password-secret",
        "engineer": "anomalyos_airflow_password-secret",
        "viewer": "airflow_viewer_password-secret",
    }
    assert stat.S_IMODE(logins.stat().st_mode) == 0o600
    store = Store(Settings(home=tmp_path, database_url=database, _env_file=None))
    with store.session(read_only=True) as session:
        assert users.authenticate(session, "admin", "first-password-of-many") is not None
    store.close()
    engine = create_engine(server.format(database="airflow"))
    with engine.connect() as connection:
        pools = set(connection.scalars(text("SELECT pool FROM slot_pool")))
    engine.dispose()
    assert pools > {"default_pool"}
    assert container_setup.make_databases(database) == []


def test_missing_and_short_secrets_are_all_named() -> None:
    with pytest.raises(UnsafeSettings) as caught:
        container_setup.require_secrets({"AIRFLOW_ADMIN_PASSWORD": "long-enough-to-pass"})
    for name in ("ANOMALYOS_AIRFLOW_PASSWORD", "AIRFLOW_VIEWER_PASSWORD", "CONSOLE_ADMIN_PASSWORD"):
        assert name in caught.value.message
    assert "AIRFLOW_ADMIN_PASSWORD" not in caught.value.message


def example() -> dict[str, str]:
    lines = (PROJECT_ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if re.match(r"[A-Z_]+=", line))


def test_the_example_explains_every_variable_and_holds_no_secret() -> None:
    used = set(re.findall(r"\$\{([A-Z_]+)", (PROJECT_ROOT / "docker-compose.yaml").read_text()))
    assert used == set(example())
    required = re.findall(r"\$\{([A-Z_]+):\?", (PROJECT_ROOT / "docker-compose.yaml").read_text())
    assert {name: value for name, value in example().items() if name in required and value} == {}


def compose(tmp_path: Path, values: dict[str, str]) -> subprocess.CompletedProcess[str]:
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    shutil.copy(PROJECT_ROOT / "docker-compose.yaml", tmp_path)
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    assert COMPOSE is not None
    return subprocess.run(
        [COMPOSE, "config"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.skipif(COMPOSE is None, reason="needs docker-compose: apt-get install docker-compose")
def test_the_composition_is_whole_and_refuses_a_missing_secret(tmp_path: Path) -> None:
    filled = {name: value or SECRET for name, value in example().items()}
    done = compose(tmp_path, filled)
    assert done.returncode == 0, done.stderr
    services = yaml.safe_load(done.stdout)["services"]
    parts = {"api-server", "scheduler", "dag-processor", "triggerer", "worker"}
    assert set(services) == {"postgres", "redis", "migrate", "console", "mlflow"} | {
        f"airflow-{part}" for part in parts
    }
    for name, service in services.items():
        assert name == "migrate" or "healthcheck" in service, name
        # nothing is open to the network unless somebody says so
        assert all("127.0.0.1" in json.dumps(port) for port in service.get("ports", []))
    for name in ("POSTGRES_PASSWORD", "ANOMALYOS_SESSION_SECRET", "AIRFLOW_JWT_SECRET", "REDIS_PASSWORD"):
        refused = compose(tmp_path, {**filled, name: ""})
        assert refused.returncode != 0, name
        assert name in refused.stderr
