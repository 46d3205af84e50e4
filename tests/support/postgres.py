"""A throw-away PostgreSQL cluster that listens on nothing but a socket in a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SYSTEM_USER = "postgres"
# safe only because nothing here outlives the tests
IN_RAM, ROOM = Path("/dev/shm"), 2**31
FAST = "-c listen_addresses='' -c fsync=off -c synchronous_commit=off -c full_page_writes=off"


def find_binaries() -> Path | None:
    """Folder with ``initdb`` and ``pg_ctl``: on the PATH, or where Debian keeps them; newest first."""
    on_path = shutil.which("initdb")
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: -int(p.parent.name))
    return next((folder for folder in folders if (folder / "pg_ctl").exists()), None)


def why_unavailable() -> str | None:
    """Reason why no cluster can be started here; None when one can."""
    if find_binaries() is None:
        return "no PostgreSQL server binaries (initdb, pg_ctl) on the PATH or in /usr/lib/postgresql"
    if os.geteuid() == 0:
        if shutil.which("runuser") is None:
            return "PostgreSQL refuses to run as root and there is no runuser to become somebody else"
        known = Path("/etc/passwd").read_text(encoding="utf-8").splitlines()
        if not any(line.startswith(f"{SYSTEM_USER}:") for line in known):
            return f"PostgreSQL refuses to run as root and there is no user {SYSTEM_USER!r}"
    return None


@contextmanager
def cluster() -> Iterator[str]:
    """Run a cluster; yields the URL prefix a database name is appended to.

    It lies outside pytest's own folders, which the ``postgres`` user may not enter.
    """
    binaries = find_binaries()
    assert binaries is not None
    # a container has 64 MB of it, which the write-ahead log alone would fill
    ram = IN_RAM if IN_RAM.is_dir() and shutil.disk_usage(IN_RAM).free > ROOM else None
    with tempfile.TemporaryDirectory(prefix="aos-pg-", ignore_cleanup_errors=True, dir=ram) as name:
        root = Path(name)
        if os.geteuid() == 0:
            shutil.chown(root, SYSTEM_USER)
        data = root / "data"
        _run(binaries / "initdb", "-D", data, "-U", "test", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"{FAST} -c unix_socket_directories={root}"
        start: list[str | Path] = ["-D", data, "-o", options, "-l", root / "log", "-w", "-t", "120", "start"]
        _run(binaries / "pg_ctl", *start)
        try:
            yield f"postgresql+psycopg://test@/{{database}}?host={root}"
        finally:
            _run(binaries / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")


def _run(*command: str | Path) -> None:
    arguments = [str(part) for part in command]
    if os.geteuid() == 0:
        arguments = ["runuser", "-u", SYSTEM_USER, "--", *arguments]
    # the server keeps its parent's output open, so capturing through a pipe would wait for ever
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(arguments, stdout=output, stderr=output, cwd="/", check=False)
        output.seek(0)
        if done.returncode:
            raise RuntimeError(f"{arguments} failed:\n{output.read().decode(errors='replace')}")
