"""Warm-up follows the champions, and a model that cannot be loaded does not stop it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, cast

import pytest

from console.services import warm_up
from console.services.inspection import InspectionService
from console.services.warm_up import WarmUp


class FakeInspections:
    """Inspections whose champions a test can promote."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.warmed: list[list[str]] = []
        self.broken = False
        self.inspector: Any = self

    def categories(self) -> list[str]:
        return list(self.names)

    def warm_up(self, category: str | None = None) -> None:
        if self.broken:
            raise ValueError("damaged bundle")
        self.warmed.append(list(self.names))


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


def test_a_promotion_after_the_start_is_warmed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm_up, "LOOK_EVERY", 0.01)
    inspections = FakeInspections()
    following = WarmUp(cast(InspectionService, inspections))
    following.start()
    until(lambda: following.state == "none")
    assert inspections.warmed == []
    inspections.names = ["dots"]
    until(lambda: following.state == "ready")
    assert inspections.warmed[0] == ["dots"]
    inspections.broken = True
    until(lambda: following.state == "failed: damaged bundle")
    inspections.broken = False
    until(lambda: following.state == "ready")
    following.stop()
