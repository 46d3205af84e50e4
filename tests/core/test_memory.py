"""Free memory: the machine's, or what a container leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from anomalyos.core import memory
from anomalyos.core.memory import available_memory


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "CGROUP", tmp_path)
    (tmp_path / "meminfo").write_text("MemTotal:  8000 kB\nMemAvailable:   3000 kB\n")
    return tmp_path


def test_the_machine_says_what_is_free(machine: Path) -> None:
    assert available_memory() == 3000 * 1024
    (machine / "memory.max").write_text("max\n")
    (machine / "memory.current").write_text("5\n")
    assert available_memory() == 3000 * 1024


def test_a_container_leaves_less(machine: Path) -> None:
    (machine / "memory.max").write_text("2000000\n")
    (machine / "memory.current").write_text("500000\n")
    assert available_memory() == 1_500_000
    (machine / "memory.current").write_text("2500000\n")
    assert available_memory() == 0


def test_where_nobody_says_it_is_not_known(machine: Path) -> None:
    (machine / "meminfo").unlink()
    assert available_memory() is None
