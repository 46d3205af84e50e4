"""Answers that cost something and may be a little old: the dearer one was, the longer it is given again."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass
class _Entry(Generic[V]):
    lock: threading.Lock = field(default_factory=threading.Lock)
    value: V | None = None
    state: object = None
    until: float = -1.0
    """Monotonic seconds up to which the value is good whatever has happened since."""


class TimedCache(Generic[K, V]):
    """Keeps what ``make`` returns, by key, so that making it takes at most ``share`` of one core's time.

    An answer that took ``t`` seconds is given again for ``t / share`` seconds, and beyond that for as long
    as ``state`` returns what it returned before. Answers quicker than ``free_s`` are made again every time
    the state has changed. One thread makes an answer, others that ask for the same wait for it.
    """

    def __init__(
        self,
        make: Callable[[K], V],
        *,
        state: Callable[[], object] = object,
        share: float = 0.05,
        free_s: float = 0.02,
        most: int = 32,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make, self._state, self._clock = make, state, clock
        self._share, self._free_s, self._most = share, free_s, most
        self._entries: OrderedDict[K, _Entry[V]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: K) -> V:
        """Blocking where the answer has to be made. What ``make`` raises goes on to the caller."""
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            self._entries.move_to_end(key)
            while len(self._entries) > self._most:
                self._entries.popitem(last=False)
        with entry.lock:
            if entry.value is not None and self._clock() < entry.until:
                return entry.value
            state = self._state()
            if entry.value is None or state != entry.state:
                begun = self._clock()
                entry.value = self._make(key)
                spent = self._clock() - begun
                entry.state = state
                entry.until = begun + spent + spent / self._share if spent > self._free_s else -1.0
            return entry.value
