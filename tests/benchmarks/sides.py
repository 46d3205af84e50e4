"""A side of a comparison: a small process that does what JSON lines on its input say, and answers in JSON.

Two libraries that cannot live in one environment are compared in one run: each side has its own process, only
one works at a time, and rounds alternate. This module needs the standard library alone, because both
environments import it.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

Handlers = Mapping[str, Callable[..., dict[str, Any]]]


class Stopped(Exception):
    """A side took longer, or more memory, than it was given, and was ended; the message says which."""


class SideFailed(Exception):
    """A side answered with an error."""


class Side:
    """One side, started when it is first asked, and started anew after it was stopped."""

    def __init__(self, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        """``folder`` is where the process runs; what it says on standard error goes to ``side.log`` there."""
        self._command, self._folder, self._environment = list(command), folder, dict(environment)
        self._log = folder / "side.log"
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, do: str, *, seconds: float = 900, mib: int = 14_000, **arguments: Any) -> dict[str, Any]:
        """What the side answers to ``do``.

        Raises:
            Stopped: after ``seconds``, or above ``mib`` MiB of memory.
            SideFailed: the side could not do it, with its own words.
        """
        process = self._process or self._start()
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps({"do": do, **arguments}).encode() + b"\n")
            process.stdin.flush()
        except BrokenPipeError as error:
            self.close()
            raise SideFailed(f"{do}: the process had ended before; see {self._log}") from error
        answer = json.loads(self._line(process, do, time.monotonic() + seconds, seconds, mib))
        if "error" in answer:
            raise SideFailed(f"{do}: {answer['error']}")
        found: dict[str, Any] = answer["found"]
        return found

    def close(self) -> None:
        """End the process; the next question starts another."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _start(self) -> subprocess.Popen[bytes]:
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=self._folder,
                env=self._environment,
            )
        return self._process

    def _line(
        self, process: subprocess.Popen[bytes], do: str, deadline: float, seconds: float, mib: int
    ) -> bytes:
        assert process.stdout is not None
        while not select.select([process.stdout], [], [], 1.0)[0]:
            if process.poll() is not None:
                break
            if time.monotonic() > deadline:
                self.close()
                raise Stopped(f"stopped after {seconds:.0f} s")
            if memory(process.pid)["rss_mib"] > mib:
                self.close()
                raise Stopped(f"stopped above {mib} MiB of memory")
        line = process.stdout.readline()
        if not line:
            code = process.wait()
            self._process = None
            raise SideFailed(f"{do}: the process ended with {code}; see {self._log}")
        return line


def serve(handlers: Handlers) -> None:
    """Answer questions from standard input until it ends. What libraries print goes to the log."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer: dict[str, Any] = {"found": handlers[asked.pop("do")](**asked)}
        # whatever a library raises is told to the other end, which decides
        except Exception as error:  # noqa: BLE001
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def memory(process: int | str = "self") -> dict[str, float]:
    """Memory of a process in MiB: what it holds, and the most it held since :func:`forget_peak`.

    Zeros for a process that has ended.
    """
    names = {"VmRSS": "rss_mib", "VmHWM": "peak_mib"}
    found = dict.fromkeys(names.values(), 0.0)
    try:
        lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return found
    for line in lines:
        name, _, rest = line.partition(":")
        if name in names:
            found[names[name]] = round(int(rest.split()[0]) / 1024, 1)
    return found


def forget_peak() -> float:
    """Start the high-water mark of this process anew; what it holds now, in MiB."""
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
    return memory()["rss_mib"]


def timed(work: Callable[[], object], repeats: int) -> list[float]:
    """Milliseconds of each of ``repeats`` runs."""
    found = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        found.append(round((time.perf_counter() - start) * 1000, 3))
    return found
