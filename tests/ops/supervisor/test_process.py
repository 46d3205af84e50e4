from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from anomalyos.core.settings import PROJECT_ROOT
from anomalyos.ops.supervisor import process
from anomalyos.ops.supervisor.process import Service, rotate, stop_all
from anomalyos.ops.supervisor.reaper import descendants
from tests.ops.supervisor.trees import TREE, alive, wait_for_tree, wait_until


def start_tree(folder: Path, kind: str, grace: float) -> Service:
    return Service(kind, [sys.executable, "-c", TREE, str(folder), kind], folder / "log.log", grace=grace)


@pytest.mark.parametrize("kind", ["obedient", "stubborn"])
def test_stopping_ends_the_whole_tree_in_whatever_session(tmp_path: Path, kind: str) -> None:
    service = start_tree(tmp_path, kind, grace=0.6)
    pids = wait_for_tree(tmp_path)
    stop_all([service])
    assert service.exit_status() is not None
    assert [pid for pid in pids if alive(pid)] == []


def test_what_a_dead_command_leaves_behind_is_ended(tmp_path: Path) -> None:
    service = start_tree(tmp_path, "stubborn", grace=0.4)
    pids = wait_for_tree(tmp_path)
    os.kill(pids[0], signal.SIGKILL)
    wait_until(lambda: service.exit_status() is not None)
    assert service.exit_status() == 128 + signal.SIGKILL
    assert [pid for pid in pids if alive(pid)] == []


def test_nothing_lingers_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    supervisor = textwrap.dedent(
        f"""
        import sys, time
        from pathlib import Path
        from anomalyos.ops.supervisor.process import Service
        from tests.ops.supervisor.trees import TREE
        folder = Path({str(tmp_path)!r})
        service = Service("tree", [sys.executable, "-c", TREE, str(folder), "stubborn"],
                          folder / "log.log", grace=0.4)
        (folder / "leash.pid").write_text(str(service.pid))
        time.sleep(600)
        """
    )
    parent = subprocess.Popen([sys.executable, "-c", supervisor], cwd=PROJECT_ROOT)
    pids = wait_for_tree(tmp_path, ("parent", "child", "grandchild", "leash"))
    parent.kill()
    parent.wait()
    wait_until(lambda: not any(alive(pid) for pid in pids))
    assert [pid for pid in pids if alive(pid)] == []


def test_status_and_tail_of_a_command_that_fails(tmp_path: Path) -> None:
    script = "import sys\nfor n in range(50): print('line', n)\nsys.exit(3)"
    service = Service("fails", [sys.executable, "-c", script], tmp_path / "fails.log")
    assert service.wait(60)
    assert service.exit_status() == 3
    assert service.log_tail(2) == "line 48\nline 49"


def test_kill_does_not_wait_for_anybody(tmp_path: Path) -> None:
    service = start_tree(tmp_path, "stubborn", grace=600)
    pids = wait_for_tree(tmp_path)
    service.kill()
    wait_until(lambda: not any(alive(pid) for pid in pids), seconds=10)
    assert [pid for pid in pids if alive(pid)] == []


def test_a_log_that_has_grown_large_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "LOG_LIMIT_BYTES", 10)
    log = tmp_path / "logs" / "x.log"
    rotate(log)
    log.write_text("0123456789")
    rotate(log)
    assert log.exists()
    log.write_text("0123456789+")
    rotate(log)
    assert not log.exists()
    assert log.with_suffix(".log.1").read_text() == "0123456789+"


def test_descendants_come_parents_first() -> None:
    script = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])"
    with subprocess.Popen([sys.executable, "-c", script]) as parent:
        wait_until(lambda: len(descendants(parent.pid)) == 1)
        child = descendants(parent.pid)[0]
        below = descendants(os.getpid())
        assert below.index(parent.pid) < below.index(child)
        assert descendants(parent.pid, recursive=False) == [child]
        os.kill(child, signal.SIGKILL)
