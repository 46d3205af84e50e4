"""Fixtures of the browser tests, by name: ``running`` is the shared console, ``browser`` a fresh Chromium."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.console_home import browser, running

__all__ = ["browser", "running"]

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # What Chromium itself reports (a click between two frames, on a busy machine) is tried once more, and
    # counted in pytest's closing line; an assertion or a wait that ran out fails at once.
    again = pytest.mark.flaky(
        reruns=1,
        only_rerun=[
            "ElementNotInteractable",
            "ElementClickIntercepted",
            "StaleElementReference",
            "NoSuchElement",
        ],
    )
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(again)
