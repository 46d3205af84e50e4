from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.settings import PROJECT_ROOT, Settings
from anomalyos.ops.supervisor.ports import PortTaken, is_free, require_free_ports
from anomalyos.ops.supervisor.up import only_one
from tests.ops.supervisor.trees import alive, wait_for_tree, wait_until


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        "ANOMALYOS_HOME": str(tmp_path / "home"),
        "ANOMALYOS_CONSOLE_PORT": str(free_port()),
        "ANOMALYOS_AIRFLOW_PORT": str(free_port()),
    }


def start(folder: Path, environment: dict[str, str], scenario: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.ops.supervisor.dummy_up", str(folder), scenario]
    return subprocess.Popen(
        command, env=environment, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
    )


def read_until(process: subprocess.Popen[str], word: str) -> str:
    assert process.stdout is not None
    seen = ""
    for line in process.stdout:
        seen += line
        if word in line:
            return seen
    raise AssertionError(f"{word!r} never came:\n{seen}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_everything(tmp_path: Path, environment: dict[str, str], number: int) -> None:
    up = start(tmp_path, environment, "stays")
    seen = read_until(up, "READY")
    assert "['cap has no model']" in seen
    assert seen.count("password secret") == 1
    pids = wait_for_tree(tmp_path)
    up.send_signal(number)
    up.communicate(timeout=60)
    assert up.returncode == 0
    assert [pid for pid in pids if alive(pid)] == []


def test_sigkill_leaves_nothing_behind(tmp_path: Path, environment: dict[str, str]) -> None:
    up = start(tmp_path, environment, "stays")
    read_until(up, "READY")
    pids = wait_for_tree(tmp_path)
    up.kill()
    up.wait()
    assert up.stdout is not None
    up.stdout.close()
    wait_until(lambda: not any(alive(pid) for pid in pids))


def test_a_service_that_dies_is_named_with_the_end_of_its_log(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    up = start(tmp_path, environment, "dies")
    pids = wait_for_tree(tmp_path)
    output, _ = up.communicate(timeout=120)
    assert up.returncode == 2
    assert "weakling ended with status 7." in output
    assert "the reason" in output
    assert [pid for pid in pids if alive(pid)] == []


def test_a_second_supervisor_on_the_same_home_is_refused(settings: Settings) -> None:
    refused = pytest.raises(AnomalyOSError, match=f"running already.*{os.getpid()}")
    with only_one(settings), refused, only_one(settings):
        pass
    with only_one(settings):
        pass


def test_a_port_in_use_is_named_with_its_setting(settings: Settings) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        settings.console_port, settings.airflow_port = free_port(), port
        assert not is_free("127.0.0.1", port)
        with pytest.raises(PortTaken, match=f"Port {port} .*ANOMALYOS_AIRFLOW_PORT"):
            require_free_ports(settings)
    require_free_ports(settings)
