"""The services of docker-compose.yaml as plain processes: the same commands and settings, other hosts."""

from __future__ import annotations

import os
import re
import secrets
import signal
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from anomalyos.core.settings import PROJECT_ROOT
from tests.e2e.whole import FOREIGN, free_port

BIN = Path(sys.executable).parent


class Composed:
    """Starts services by their name in the file, each in a process group of its own."""

    def __init__(self, home: Path, database: str, **more: str) -> None:
        """``database`` is the pattern of ``tests.postgres.cluster``, with ``{database}`` in it; ``more`` are
        further environment variables."""
        self.home = home
        self.more = more
        self.redis_port, self.airflow_port, self.console_port = free_port(), free_port(), free_port()
        self.database = database
        self.values = fresh_values()
        self.file: dict[str, Any] = yaml.safe_load((PROJECT_ROOT / "docker-compose.yaml").read_text())
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def environment(self, service: str) -> dict[str, str]:
        """What the file and the image give the service, on this machine."""
        own = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        image = {
            "ANOMALYOS_HOME": str(self.home),
            "ANOMALYOS_ROOT": str(PROJECT_ROOT),
            "AIRFLOW_CONFIG": str(PROJECT_ROOT / "airflow.cfg"),
            "AIRFLOW_HOME": str(self.home / "airflow"),
            "ANOMALYOS_AIRFLOW_PASSWORDS": str(self.home / "secrets" / "airflow_passwords.json"),
        }
        given = {
            name: self.here(self.filled(str(value)))
            for name, value in self.file["services"][service].get("environment", {}).items()
        }
        # its server takes a minute to start, and other tests ask one: here MLflow is the file under home
        given.pop("ANOMALYOS_MLFLOW_TRACKING_URI", None)
        ports = {
            "ANOMALYOS_AIRFLOW_PORT": str(self.airflow_port),
            "ANOMALYOS_CONSOLE_PORT": str(self.console_port),
        }
        return own | image | self.more | given | {name: port for name, port in ports.items() if name in given}

    def filled(self, text: str) -> str:
        """``text`` with the file's ``${NAME}``, ``${NAME:-default}`` and ``${NAME:?words}`` put in."""

        def value(found: re.Match[str]) -> str:
            name, default = found["name"], found["default"] or ""
            return self.values.get(name, default)

        return re.sub(r"\$\{(?P<name>\w+)(?::-(?P<default>[^}]*)|:\?[^}]*)?\}", value, text)

    def here(self, text: str) -> str:
        """The same address on this machine."""
        password = re.escape(self.values["POSTGRES_PASSWORD"])
        socket = self.database.partition("?")[2]
        text = re.sub(rf"//anomalyos:{password}@postgres/(\w+)", rf"//test@/\1?{socket}", text)
        text = text.replace("@redis:6379", f"@127.0.0.1:{self.redis_port}")
        # the shared volume
        text = re.sub(r"^/data\b", str(self.home), text)
        text = text.replace("http://airflow-api-server:8080", f"http://127.0.0.1:{self.airflow_port}")
        return "127.0.0.1" if text in ("0.0.0.0", "airflow-api-server") else text  # noqa: S104

    def start(self, service: str) -> None:
        """The service's own command; its output goes to ``home/SERVICE.log``."""
        command = [str(part) for part in self.file["services"][service]["command"]]
        command[0] = str(BIN / command[0])
        self.launch(service, command)

    def launch(self, service: str, command: list[str], **more: Any) -> subprocess.Popen[bytes]:
        self.home.mkdir(parents=True, exist_ok=True)
        with self.log(service).open("ab") as log:
            process = subprocess.Popen(
                command,
                env=self.environment(service),
                cwd=PROJECT_ROOT,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **more,
            )
        self.processes[service] = process
        return process

    def start_redis(self) -> None:
        """With the password from the file, on a port of its own."""
        command = ["redis-server", "-", "--port", str(self.redis_port), "--bind", "127.0.0.1", "--save", ""]
        process = self.launch("redis", [*command, "--dir", str(self.home)], stdin=subprocess.PIPE)
        assert process.stdin is not None
        process.stdin.write(f"requirepass {self.values['REDIS_PASSWORD']}\n".encode())
        process.stdin.close()

    def run(self, service: str) -> None:
        """A one-shot service, to its end."""
        self.start(service)
        assert self.processes.pop(service).wait(240) == 0, self.log(service).read_text()[-3000:]

    def log(self, service: str) -> Path:
        return self.home / f"{service}.log"

    def all_alive(self) -> None:
        for name, process in self.processes.items():
            assert process.poll() is None, f"{name} ended:\n{self.log(name).read_text()[-3000:]}"

    def wait_for(self, condition: Callable[[], Any], what: str, seconds: float) -> Any:
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            self.all_alive()
            assert time.monotonic() < deadline, f"{what} never came"
            time.sleep(0.5)
        return found

    def stop(self) -> list[str]:
        """Stop everything as docker does, the newest first; names of what had to be killed."""
        stubborn = []
        for name, process in reversed(self.processes.items()):
            signal_group(process, signal.SIGTERM)
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                stubborn.append(name)
            signal_group(process, signal.SIGKILL)
        return stubborn


def signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return


def fresh_values() -> dict[str, str]:
    """An .env filled in as its example says."""
    lines = (PROJECT_ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("=", 1) for line in lines if re.match(r"[A-Z_]+=", line)]
    values = {name: value or secrets.token_urlsafe(32) for name, value in pairs}
    values["AIRFLOW_FERNET_KEY"] = urlsafe_b64encode(os.urandom(32)).decode()
    for name in ("ANOMALYOS_CONSOLE_URL", "ANOMALYOS_AIRFLOW_URL"):
        values[name] = f"https://{name.split('_')[1].lower()}.example"
    optional = ("GROQ_API_KEY", "WEBHOOK_URL", "DVC_REMOTE", "DVC_REMOTE_USER", "DVC_REMOTE_PASSWORD")
    return values | {f"ANOMALYOS_{name}": "" for name in optional}
