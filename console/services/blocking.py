"""Blocking work off the event loop: a page stays responsive while a model thinks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


async def run_blocking(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run short blocking work (database, files, argon2) in the common thread pool."""
    return await asyncio.to_thread(work, *args, **kwargs)


class InspectionPool:
    """Threads of their own for inspections, so a pile of uploads never starves the queue's reads."""

    def __init__(self, workers: int = 2) -> None:
        self.closed = False
        """Whether it takes nothing more."""
        self._executor = ThreadPoolExecutor(workers, thread_name_prefix="inspection")

    async def run(self, work: Callable[[], R]) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    def close(self) -> None:
        """Let the running inspections end and drop the waiting ones."""
        self.closed = True
        self._executor.shutdown(wait=False, cancel_futures=True)
