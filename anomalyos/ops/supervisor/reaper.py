"""Runs one command so that neither it nor anything it started outlives the supervisor.

``python -m anomalyos.ops.supervisor.reaper PARENT_PID GRACE_SECONDS COMMAND...`` runs as a small process
between the supervisor and a service. On SIGTERM, or when the supervisor is gone (even by SIGKILL), it
stops the command: SIGTERM, half the grace later SIGTERM to the whole tree below it, in the end SIGKILL.
On Linux it adopts what its descendants leave behind (PR_SET_CHILD_SUBREAPER), so a process that puts
itself into another session, as Airflow's do, is found as well. It imports little: several of these run
beside the services.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from types import FrameType

import psutil

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
POLL_SECONDS = 0.2
KILL_ROUNDS = 50


def descendants(root: int, *, recursive: bool = True) -> list[int]:
    """Every process below ``root``, parents before children; its own children alone unless ``recursive``."""
    try:
        return [child.pid for child in psutil.Process(root).children(recursive)]
    except psutil.NoSuchProcess:
        return []


def signal_all(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):  # ended in the meantime, which is what was wanted
            os.kill(pid, number)


def prepare_process(subreaper_only: bool = False) -> None:
    """Adopt orphaned descendants and, unless told otherwise, get SIGTERM when the parent dies (Linux)."""
    if not sys.platform.startswith("linux"):
        return  # there the parent is watched by polling, see Reaper.run
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    if not subreaper_only:
        libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)


class Reaper:
    """One command and its tree of processes; ``run`` returns the command's exit status."""

    def __init__(self, parent: int, grace: float, command: list[str]) -> None:
        self.parent = parent
        self.grace = grace
        self.command = command
        self.stopping = False

    def run(self) -> int:
        prepare_process()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._stop)
        if os.getppid() != self.parent:
            return 0  # the supervisor died before we could ask to be told
        child = subprocess.Popen(self.command)
        while not self.stopping and child.poll() is None:
            reap_others(child.pid)
            time.sleep(POLL_SECONDS)
            self.stopping = self.stopping or os.getppid() != self.parent
        self._end_tree(child)
        return child.returncode if child.returncode >= 0 else 128 - child.returncode

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True

    def _end_tree(self, child: subprocess.Popen[bytes]) -> None:
        # first the command alone: it knows best in which order its own processes should end
        if child.poll() is None:
            child.terminate()
        self._wait_for_end(child, self.grace / 2)
        signal_all(self._tree(child), signal.SIGTERM)
        self._wait_for_end(child, self.grace / 2)
        for _ in range(KILL_ROUNDS):
            # again and again: a process may have forked between the look and the kill
            left = self._tree(child)
            if not left:
                break
            signal_all(left, signal.SIGKILL)
            time.sleep(POLL_SECONDS / 4)
        child.wait()

    def _wait_for_end(self, child: subprocess.Popen[bytes], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self._tree(child) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS / 2)

    def _tree(self, child: subprocess.Popen[bytes]) -> list[int]:
        child.poll()
        reap_others(child.pid)
        return descendants(os.getpid())


def reap_others(keep: int) -> None:
    """Collect adopted processes that have ended, leaving ``keep`` to its own Popen."""
    for pid in descendants(os.getpid(), recursive=False):
        if pid != keep:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)


def main() -> None:
    sys.exit(Reaper(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]).run())


if __name__ == "__main__":
    main()
