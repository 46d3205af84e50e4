"""Asks one server of ``tests.dags.server`` to run DAGs, one after the other, each in its own environment."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anomalyos.core.settings import PROJECT_ROOT


@dataclass(frozen=True)
class DagServer:
    process: subprocess.Popen[str]
    log: Path

    def start(
        self,
        dag: str,
        conf: Mapping[str, Any],
        environment: Mapping[str, str],
        log: Path,
        *,
        at: str = "",
        fakes: tuple[str, ...] = (),
    ) -> StartedRun:
        """A run that is on its way; what it says is added to ``log``.

        Args:
            at: makes it the run of that moment: tried again, it has the same id.
            fakes: modules whose ``install()`` puts stand-ins in the place of what is slow.
        """
        result = log.with_suffix(".json")
        result.unlink(missing_ok=True)
        asked = {
            "dag": dag,
            "conf": conf,
            "environment": dict(environment),
            "at": at,
            "log": str(log),
            "result": str(result),
            "fakes": fakes,
        }
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        return StartedRun(self, int(self.answer()["group"]), result)

    def answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.log.read_text()[-3000:]
        found: dict[str, Any] = json.loads(line)
        return found


@dataclass(frozen=True)
class StartedRun:
    server: DagServer
    group: int
    result_file: Path

    def kill(self) -> None:
        """The whole group: a task's own processes die with it."""
        try:
            os.killpg(self.group, signal.SIGKILL)
        except ProcessLookupError:
            return

    def wait(self) -> int:
        """Exit status: 0 for success, 1 for a run that failed, -9 when it was killed before it ended."""
        return int(self.server.answer()["status"])

    def result(self) -> dict[str, Any]:
        """The end of a run that was not killed, as ``tests.dags.run_dag`` tells it."""
        found: dict[str, Any] = json.loads(self.result_file.read_text(encoding="utf-8"))
        return found


@contextmanager
def serve(environment: Mapping[str, str], log: Path) -> Iterator[DagServer]:
    """A server until the block ends; one compute thread, as the children run side by side with tests."""
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.dags.server"],
            env={**environment, "OMP_NUM_THREADS": "1"},
            cwd=PROJECT_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
        )
    server = DagServer(process, log)
    try:
        assert server.answer() == {"ready": True}
        yield server
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(60)
