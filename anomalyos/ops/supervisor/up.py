"""`anomalyos up`: from nothing to a running platform, and back to nothing on Ctrl-C."""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import IO, TYPE_CHECKING, Any

from anomalyos.accounts import users
from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.files.locks import held
from anomalyos.core.settings import Settings
from anomalyos.db.engine import open_store
from anomalyos.ops.supervisor import airflow_env, health
from anomalyos.ops.supervisor.display import Display
from anomalyos.ops.supervisor.health import Health
from anomalyos.ops.supervisor.ports import require_free_ports
from anomalyos.ops.supervisor.process import GRACE_SECONDS, Service, stop_all
from anomalyos.ops.supervisor.reaper import descendants, prepare_process, signal_all

if TYPE_CHECKING:
    from collections.abc import Callable

TICK_SECONDS = 0.25
HEALTH_EVERY_SECONDS = 2.0
SETUP = "setup"
MIGRATION = "airflow-migrate"
AIRFLOW_PARTS: dict[str, tuple[str, ...]] = {
    "airflow-api-server": ("api-server",),
    # the logs lie in files this machine's web server reads itself: no log server needs to listen
    "airflow-scheduler": ("scheduler", "--skip-serve-logs"),
    "airflow-dag-processor": ("dag-processor",),
    "airflow-triggerer": ("triggerer", "--skip-serve-logs"),
}


class ServiceDied(AnomalyOSError):
    """A service ended that should not have; the hint holds the end of its log."""


class Supervisor:
    """Starts the services, waits until they are ready, then watches them until told to stop.

    ``run`` must be called in the main thread: it handles SIGINT and SIGTERM.
    """

    grace = GRACE_SECONDS
    """Seconds a service has to end by itself."""

    def __init__(self, settings: Settings, display: Display, *, sample: bool = True) -> None:
        self.settings = settings
        self.display = display
        self.sample = sample
        self.services: dict[str, Service] = {}
        self.stop_requests = 0
        self._stopped_by = ""
        self.usable = False
        """There is a queue to look at; further products may still be learned."""
        self.warnings: list[str] = []
        self.logins: list[str] = []
        self._events: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._checked: dict[str, tuple[float, Health]] = {}
        self._announced: set[str] = set()
        self._announced_up = False

    def run(self, when_ready: Callable[[Supervisor], None]) -> None:
        """Returns after Ctrl-C or SIGTERM, when everything has stopped.

        ``when_ready`` is called once, when every service answers and the set-up is done.

        Raises:
            AnomalyOSError: when a port is taken, another supervisor runs on the same home, or a
                service dies. Everything that was started has stopped by then.
        """
        with only_one(self.settings), self._signals():
            require_free_ports(self.settings)
            prepare_process(subreaper_only=True)
            try:
                self._prepare_database()
                self._start_services()
                self._watch(when_ready)
            finally:
                self._stop_everything()

    def _prepare_database(self) -> None:
        store = open_store(self.settings)
        store.upgrade()
        with store.session() as session:
            password = users.ensure_first_admin(session)
        if password:
            self._tell_login(f"Console: user [bold]admin[/], password [bold]{password}[/]")
        passwords = airflow_env.first_passwords(self.settings)
        for user, secret in (passwords or {}).items():
            self._tell_login(f"Airflow: user [bold]{user}[/], password [bold]{secret}[/]")

    def _tell_login(self, line: str) -> None:
        # said at once as well as in the banner: it is shown only this time, and the start may be stopped
        self.logins.append(line)
        self.display.say(f"{line} [dim](shown only this once)[/]")

    def _start_services(self) -> None:
        setup = [sys.executable, "-P", "-m", "anomalyos.ops.supervisor.first_start"]
        migrate = [sys.executable, "-P", "-m", "anomalyos.ops.supervisor.airflow_setup"]
        self._start(MIGRATION, migrate, env=airflow_env.airflow_environment(self.settings))
        self._start(SETUP, setup if self.sample else [*setup, "--no-sample"], pipe_output=True)
        self._start("console", [sys.executable, "-P", "-m", "console.main"])
        self._read_setup_events()

    def _read_setup_events(self) -> None:
        source = self.services[SETUP].output
        threading.Thread(target=read_events, args=(source, self._events), daemon=True).start()

    def _start(
        self, name: str, command: list[str], env: dict[str, str] | None = None, pipe_output: bool = False
    ) -> None:
        environment = env if env is not None else dict(os.environ)
        environment = {**environment, "ANOMALYOS_HOME": str(self.settings.home), "PYTHONUNBUFFERED": "1"}
        path = self.settings.home / "logs" / f"{name}.log"
        self.services[name] = Service(
            name, command, path, environment, pipe_output=pipe_output, grace=self.grace
        )

    def _watch(self, when_ready: Callable[[Supervisor], None]) -> None:
        ready = False
        while not self.stop_requests:
            self._show_events()
            self._look_after_children()
            if not ready and self._everything_ready():
                ready = self._announced_up = True
                self.display.__exit__()
                when_ready(self)
            time.sleep(TICK_SECONDS)

    def _look_after_children(self) -> None:
        for name, service in list(self.services.items()):
            status = service.exit_status()
            if status is None or self.stop_requests:
                continue
            if status or name not in {SETUP, MIGRATION}:
                raise ServiceDied(
                    f"{name} ended with status {status}.",
                    f"The end of {service.log_path}:\n{service.log_tail()}",
                )
            del self.services[name]
            if name == SETUP:
                self._use_what_is_there()
                if self._announced_up:
                    self.display.say("Every product is learned.")
            if name == MIGRATION:
                environment = airflow_env.airflow_environment(self.settings)
                for part, arguments in AIRFLOW_PARTS.items():
                    self._start(part, airflow_env.airflow_command(*arguments), env=environment)

    def _everything_ready(self) -> bool:
        console = self._health("Console", self.settings.console_url, health.console_health)
        if MIGRATION in self.services:
            self.display.stage("Airflow", 0, len(health.AIRFLOW_PARTS) + 1, "database")
            return False
        airflow = self._health("Airflow", self.settings.airflow_url, health.airflow_health)
        return console.healthy and airflow.healthy and self.usable

    def _use_what_is_there(self) -> None:
        self.usable = True
        # asked again, the console loads the models that have been built
        self._checked.pop("Console", None)

    def _health(self, name: str, address: str, ask: Callable[[Settings], Health]) -> Health:
        """The newest answer, asked again every ``HEALTH_EVERY_SECONDS`` until it is good."""
        asked, answer = self._checked.get(name, (0.0, None))
        if answer is None or (not answer.healthy and time.monotonic() - asked > HEALTH_EVERY_SECONDS):
            answer = ask(self.settings)
            self._checked[name] = (time.monotonic(), answer)
            self.display.stage(name, answer.ready, answer.parts, answer.waiting_for)
            if answer.healthy and name not in self._announced:
                self._announced.add(name)
                self.display.say(f"{name} answers: [cyan]{address}[/]")
        return answer

    def _show_events(self) -> None:
        while not self._events.empty():
            event = self._events.get()
            if "warning" in event:
                self.warnings.append(str(event["warning"]))
                self.display.say(f"[yellow]![/] {event['warning']}")
            elif "usable" in event:
                if not self.usable:
                    self._use_what_is_there()
            else:
                self.display.stage(event["stage"], event["done"], event["total"], event["detail"])

    def _stop_everything(self) -> None:
        if self.services:
            self.display.say(f"Stopping{self._stopped_by} …")
        stop_all(list(self.services.values()), self.grace)
        # what a killed reaper has left behind was handed to this process
        signal_all(descendants(os.getpid()), signal.SIGKILL)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        before = {
            number: signal.signal(number, self._request_stop) for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _request_stop(self, number: int, frame: FrameType | None) -> None:
        self.stop_requests += 1
        self._stopped_by = f" ({signal.Signals(number).name})"
        if self.stop_requests > 1:
            # somebody insists: no more waiting for orderly endings
            for service in self.services.values():
                signal_all([*descendants(service.pid), service.pid], signal.SIGKILL)


def read_events(stream: IO[bytes], events: queue.SimpleQueue[dict[str, Any]]) -> None:
    """Pass on the JSON objects in ``stream``; libraries print other things in between."""
    for line in stream:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            events.put(event)


@contextmanager
def only_one(settings: Settings) -> Iterator[None]:
    """Hold the home's lock.

    Raises:
        AnomalyOSError: when another supervisor holds it.
    """
    path = settings.home / "up.lock"
    other = path.read_text(encoding="ascii").strip() if path.exists() else ""
    refusal = AnomalyOSError(
        f"AnomalyOS is running already on {settings.home} (process {other}).",
        "Stop that one first, or give this one a home of its own: ANOMALYOS_HOME=/another/folder",
    )
    with held(path, refusal=refusal):
        path.write_text(str(os.getpid()), encoding="ascii")
        yield
