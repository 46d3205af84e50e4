"""The supervisor with dummies for services: ``python -m tests.ops.supervisor.dummy_up FOLDER SCENARIO``."""

from __future__ import annotations

import sys
from pathlib import Path

from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.settings import get_settings
from anomalyos.ops.supervisor import health
from anomalyos.ops.supervisor.display import Display
from anomalyos.ops.supervisor.health import Health
from anomalyos.ops.supervisor.up import SETUP, Supervisor
from tests.ops.supervisor.trees import TREE

SET_UP = """
import json
print("a library talks", flush=True)
print(json.dumps({"stage": "Models", "done": 1, "total": 1, "detail": ""}), flush=True)
print(json.dumps({"warning": "cap has no model"}), flush=True)
"""
DIES = "import sys, time; time.sleep(0.5); print('the reason', flush=True); sys.exit(7)"


class DummySupervisor(Supervisor):
    grace = 0.6
    folder: Path
    scenario: str

    def _prepare_database(self) -> None:
        self._tell_login("Console: user admin, password secret")

    def _start_services(self) -> None:
        self._start("tree", [sys.executable, "-c", TREE, str(self.folder), "stubborn"])
        self._start(SETUP, [sys.executable, "-c", SET_UP], pipe_output=True)
        self._read_setup_events()
        if self.scenario == "dies":
            self._start("weakling", [sys.executable, "-c", DIES])


def main() -> None:
    from rich.console import Console

    settings = get_settings()
    healthy = Health(1, 1)
    health.console_health = health.airflow_health = lambda settings: healthy
    with Display(Console(file=sys.stdout, width=200)) as display:
        supervisor = DummySupervisor(settings, display)
        supervisor.folder, supervisor.scenario = Path(sys.argv[1]), sys.argv[2]
        try:
            supervisor.run(lambda up: up.display.say(f"READY {up.warnings}"))
        except AnomalyOSError as error:
            print(error.message, error.hint)  # noqa: T201 - this is the test's window
            sys.exit(2)


if __name__ == "__main__":
    main()
