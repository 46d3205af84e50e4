"""Which tests stand in one process, which of them begin, and which are no part of `make fast`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from xdist.scheduler import LoadFileScheduling

if TYPE_CHECKING:
    from collections.abc import Sequence

TOGETHER = {
    "tests/dags/": "dags",
    "tests/e2e/test_any_kill.py": "dags",
    "tests/e2e/test_accessibility.py": "browser",
}
"""Tests that share what is costly to start: one server that runs DAGs, one console for the browsers."""

FIRST: Sequence[str] = (
    "tests/e2e/test_nightly_kill.py",
    "tests/e2e/test_airflow.py",
    "tests/e2e/test_celery.py",
    "tests/e2e/test_any_kill.py",
    "tests/e2e/",
    "tests/dags/",
    "tests/console/",
)
"""What one process would still be busy with when the others have nothing left to do, the longest first."""


MARKED_BY = {
    "built_home": "slow",
    "trained_home": "slow",
    "console": "slow",
    "dag_server": "airflow",
    "migrated_airflow": "airflow",
    "browser": "browser",
    "running": "browser",
}
"""What a fixture says of a test: it learns a model, draws pages, starts Airflow or a browser."""

SLOW = (
    "tests/classifier/",
    "tests/cli/test_explain_real.py",
    "tests/drift/test_comparison.py",
    "tests/explain/",
    "tests/features/",
    "tests/inspection/test_nightly.py::test_killed_with_sigkill",
    "tests/knowledge/search/test_evaluation.py",
    "tests/learning/test_options.py",
    "tests/learning/test_rebuild.py",
    "tests/old_home/",
    "tests/ops/maintenance/test_backup.py::test_a_killed_restore",
    "tests/ops/snapshots/",
    "tests/ops/supervisor/test_first_start.py",
    "tests/ops/supervisor/test_up.py",
    "tests/products/test_importer.py::test_the_real_sets",
    "tests/quality/test_data_check.py",
    "tests/quality/test_real_sets.py",
)
"""Marked ``slow``: they import torch or Great Expectations, or start processes to kill them."""


def together(nodeid: str) -> str:
    """The name of what a test runs together with: its file, or several files."""
    file = nodeid.split("::", 1)[0]
    if file.startswith("tests/e2e/") and file.endswith("_browser.py"):
        return "browser"
    return next((group for start, group in TOGETHER.items() if file.startswith(start)), file)


def place(nodeid: str) -> int:
    """Where a test stands in the order: what belongs together stays together."""
    found = (number for number, start in enumerate(FIRST) if nodeid.startswith(start))
    return next(found, len(FIRST))


class TogetherScheduling(LoadFileScheduling):
    """xdist's ``loadfile``, with several files in one unit where they share what is costly."""

    def _split_scope(self, nodeid: str) -> str:
        return together(nodeid)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.startswith(SLOW):
            item.add_marker("slow")
        for fixture in getattr(item, "fixturenames", ()):
            if fixture in MARKED_BY:
                item.add_marker(MARKED_BY[fixture])
    items.sort(key=lambda item: place(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> TogetherScheduling | None:
    return TogetherScheduling(config, log) if config.getvalue("dist") == "loadfile" else None
