"""Process trees for tests: they announce their process ids in a folder, and are looked for by them."""

from __future__ import annotations

import os
import time
from pathlib import Path

# forks a child, which forks one in a session of its own; each writes its pid and sleeps
TREE = """
import os, signal, sys, time
from pathlib import Path
folder, stubborn = Path(sys.argv[1]), sys.argv[2] == "stubborn"
if stubborn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
def announce(name):
    temporary = folder / f"{name}.tmp"
    temporary.write_text(str(os.getpid()))
    temporary.rename(folder / f"{name}.pid")
if os.fork() == 0:
    if os.fork() == 0:
        os.setsid()
        announce("grandchild")
    else:
        announce("child")
else:
    announce("parent")
time.sleep(600)
"""

NAMES = ("parent", "child", "grandchild")


def wait_for_tree(folder: Path, names: tuple[str, ...] = NAMES) -> list[int]:
    """Process ids once every member has announced itself."""
    wait_until(lambda: all((folder / f"{name}.pid").exists() for name in names))
    return [int((folder / f"{name}.pid").read_text()) for name in names]


def wait_until(condition: object, seconds: float = 60.0) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be collected does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z" if stat.exists() else True
    except OSError:
        return False
