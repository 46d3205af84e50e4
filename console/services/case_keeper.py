"""Makes the case base follow decisions, off the reviewer's way: the next item never waits for it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

log = logging.getLogger(__name__)


class FollowsReviews(Protocol):
    """The part of ``anomalyos.cases.library.CaseLibrary`` that is used here."""

    def follow_review(self, inspection_id: int, actor: str) -> object: ...


class CaseKeeper:
    """One thread that turns confirmed defects into cases, and takes back what was undone, in order."""

    def __init__(self, library: Callable[[], FollowsReviews]) -> None:
        self._library = library
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="cases")
        self._last: Future[None] | None = None

    def follow(self, inspection_id: int, actor: str) -> None:
        """Have the case base agree with the decision that stands now, soon."""
        self._last = self._thread.submit(self._follow, inspection_id, actor)

    def settle(self) -> None:
        """Wait until everything asked for so far is done."""
        if self._last is not None:
            self._last.result()

    def stop(self) -> None:
        """Drop what has not begun: the next refresh of the case base finds it."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _follow(self, inspection_id: int, actor: str) -> None:
        try:
            self._library().follow_review(inspection_id, actor)
        except Exception:
            # the decision is kept and must stay kept; refreshing the case base tries this again
            log.exception("The case base does not follow the review of inspection %d yet", inspection_id)
