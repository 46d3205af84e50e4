"""Slows down guessing: failed attempts are counted per key in a sliding window."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable


class RateLimit:
    """At most ``attempts`` failures in ``window`` seconds for one key; older failures are forgotten.

    Kept in memory: a restart forgets, and each process counts for itself.
    """

    def __init__(
        self,
        attempts: int,
        window: float,
        clock: Callable[[], float] = time.monotonic,
        max_keys: int = 10_000,
    ) -> None:
        self.attempts = attempts
        self.window = window
        self._clock = clock
        self._max_keys = max_keys
        self._failures: dict[str, deque[float]] = {}

    def wait_minutes(self, key: str) -> int:
        """Minutes, rounded up, until ``key`` may try again; 0 when it may try now."""
        recent = self._recent(key)
        if len(recent) < self.attempts:
            return 0
        return max(1, math.ceil((recent[0] + self.window - self._clock()) / 60))

    def failed(self, key: str) -> None:
        """Count one failure. The oldest key makes room when there are too many."""
        if key not in self._failures and len(self._failures) >= self._max_keys:
            self._failures.pop(next(iter(self._failures)))
        self._failures.setdefault(key, deque(maxlen=self.attempts)).append(self._clock())

    def succeeded(self, key: str) -> None:
        self._failures.pop(key, None)

    def _recent(self, key: str) -> deque[float]:
        failures = self._failures.get(key, deque())
        while failures and failures[0] <= self._clock() - self.window:
            failures.popleft()
        return failures
