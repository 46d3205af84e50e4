"""One supervised service: started under a reaper, with its output in a log file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from anomalyos.ops.supervisor.reaper import descendants, signal_all

GRACE_SECONDS = 6.0
LOG_LIMIT_BYTES = 10 * 2**20


class Service:
    """A running command. Create it in the main thread only.

    The reaper asks the kernel for a signal when the *thread* that started it ends.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log_path: Path,
        env: dict[str, str] | None = None,
        *,
        pipe_output: bool = False,
        grace: float = GRACE_SECONDS,
    ) -> None:
        self.name = name
        self.log_path = log_path
        rotate(log_path)
        # -P: a folder in the caller's working directory must not stand in for one of our packages
        reaper = [sys.executable, "-P", "-m", "anomalyos.ops.supervisor.reaper", str(os.getpid()), str(grace)]
        with log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [*reaper, *command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if pipe_output else log,
                stderr=log,
                env=env,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def output(self) -> IO[bytes]:
        """What the command writes to stdout; only with ``pipe_output``."""
        assert self._process.stdout is not None
        return self._process.stdout

    def exit_status(self) -> int | None:
        """The command's exit status, None while it runs."""
        return self._process.poll()

    def ask_to_stop(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def wait(self, timeout: float) -> bool:
        """Whether the service has ended within ``timeout`` seconds."""
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        """End the whole tree at once."""
        signal_all([*descendants(self.pid), self.pid], signal.SIGKILL)
        self._process.wait()

    def log_tail(self, lines: int = 20) -> str:
        """The last ``lines`` lines of the log."""
        with self.log_path.open("rb") as file:
            file.seek(max(0, self.log_path.stat().st_size - 64 * 1024))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])


def stop_all(services: Sequence[Service], grace: float = GRACE_SECONDS) -> None:
    """Stop every service at the same time, and do not return before all are gone."""
    for service in services:
        service.ask_to_stop()
    for service in services:
        # the reaper itself kills after its grace; this is for one that hangs
        if not service.wait(grace + 5):
            service.kill()


def rotate(log_path: Path) -> None:
    """Keep one older log once the file has grown beyond ``LOG_LIMIT_BYTES``."""
    log_path.parent.mkdir(parents=True, exist_ok=True)
    if log_path.exists() and log_path.stat().st_size > LOG_LIMIT_BYTES:
        log_path.replace(log_path.with_suffix(".log.1"))
