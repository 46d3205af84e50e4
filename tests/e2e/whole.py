"""A whole platform started the way a person starts it, on free ports and a home of its own."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from anomalyos.core.settings import PROJECT_ROOT

START_SECONDS = 420
FOREIGN = ("ANOMALYOS_", "AIRFLOW", "PYTEST_", "NICEGUI_")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Platform:
    """``anomalyos up`` as a child process, its output and its Airflow REST API.

    ``more`` is what its environment has beside that of tests, which gives each process one thread.
    """

    def __init__(self, home: Path, more: Mapping[str, str] | None = None) -> None:
        self.home = home
        self.airflow_port, self.console_port = free_port(), free_port()
        self.environment = {
            # NiceGUI behaves differently where it finds pytest's variables
            **{name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)},
            "ANOMALYOS_HOME": str(home),
            "ANOMALYOS_AIRFLOW_PORT": str(self.airflow_port),
            "ANOMALYOS_CONSOLE_PORT": str(self.console_port),
            "ANOMALYOS_THREADS": "1",
            **(more or {}),
        }
        self.output = ""
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from anomalyos.cli import app; app()", "up", "--no-sample"],
            env=self.environment,
            cwd=PROJECT_ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output += line

    def wait_for(self, condition: Callable[[], Any], what: str, seconds: float = START_SECONDS) -> Any:
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            assert self.process.poll() is None, f"it ended while waiting for {what}:\n{self.output}"
            assert time.monotonic() < deadline, f"{what} never came:\n{self.output}"
            time.sleep(0.5)
        return found

    def wait_until_up(self) -> None:
        self.wait_for(lambda: "AnomalyOS is up after" in self.output, "the banner")

    def password(self, user: str) -> str:
        passwords = json.loads((self.home / "secrets" / "airflow_passwords.json").read_text())
        return str(passwords[user])

    def console_password(self) -> str:
        found = re.search(r"Console: user admin, password (\S+)", self.output)
        assert found is not None
        return found.group(1)

    def call(self, path: str, body: dict[str, Any] | None = None, token: str = "") -> tuple[int, Any]:
        """(status, document) of Airflow's answer."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.airflow_port}{path}")
        request.add_header("Content-Type", "application/json")
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        if body is not None:
            request.data = json.dumps(body).encode()
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def token(self, user: str) -> str:
        status, document = self.call("/auth/token", {"username": user, "password": self.password(user)})
        assert status in {200, 201}, document
        return str(document["access_token"])

    def run_to_end(self, dag_id: str, conf: dict[str, Any], token: str) -> tuple[str, str]:
        """(run id, final state) of a run started over REST."""
        status, run = self.call(f"/api/v2/dags/{dag_id}/dagRuns", {"logical_date": None, "conf": conf}, token)
        assert status == 200, run
        return run["dag_run_id"], self.end_of(dag_id, run["dag_run_id"], token)

    def end_of(self, dag_id: str, run_id: str, token: str) -> str:
        """Final state of a run, once it has one."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{urllib.parse.quote(run_id)}"

        def ended() -> str | None:
            state = str(self.call(path, token=token)[1]["state"])
            return state if state in {"success", "failed"} else None

        return str(self.wait_for(ended, f"the end of {dag_id}", 240))
