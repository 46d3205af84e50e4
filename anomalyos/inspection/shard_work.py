"""The files of one shard, inspected several at once.

Three things go on side by side: the next files are read and decoded, some are looked at by the models, and
what was found of those before is stored. Files keep their order, and what goes wrong with one is its own
outcome: what fails together is tried again one by one.
"""

from __future__ import annotations

import logging
import time
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from anomalyos.core.progress import Progress
from anomalyos.db.engine import Store
from anomalyos.images.decoding import ImageRejected
from anomalyos.inspection import inspections
from anomalyos.inspection.examination import Examination, Stopwatch
from anomalyos.inspection.inbox import within_inbox
from anomalyos.inspection.inspector import Inspector
from anomalyos.inspection.keeping import Finished
from anomalyos.inspection.nights import batch_key, check_day
from anomalyos.inspection.reading import Delivery, ReadAhead, Unreadable, read_limited
from anomalyos.inspection.tables import Verdict

log = logging.getLogger(__name__)

FAILURES_IN_A_ROW = 5
"""After so many failures one after the other the cause is not the image: the shard gives up."""

READERS = 2
"""Threads that read and decode: a usual picture takes a tenth of what the models take for it."""

WRITERS = 4
"""Threads that write files: they wait for the disk nearly all the time, and it takes several at once."""

SKIPPED, FAILED = "skipped", "failed"

Step = Finished | Unreadable | str
"""What is to be kept of a file, or its outcome when there is nothing to keep."""


class ShardWork:
    """Works through the files of one shard that have no row yet."""

    def __init__(self, shard: dict[str, Any], batch_id: int, store: Store, inspector: Inspector) -> None:
        self.store = store
        self.inspector = inspector
        self.batch_id = batch_id
        day = check_day(shard["day"])
        self.key = batch_key(day)
        self.category: str | None = shard["category"]
        self.sources = [f"{day}/{path}" for path in shard["paths"]]
        self.counts: Counter[str] = Counter()
        """By outcome: a verdict, ``skipped`` or ``failed``."""
        self.last_error = ""
        self.given_up = False
        self._in_a_row = 0

    def run(self, progress: Progress | None = None) -> None:
        """Fill ``counts``. After ``FAILURES_IN_A_ROW`` the rest is left alone.

        Args:
            progress: called with (files done, files in all), as they are stored.
        """
        with ExitStack() as stack:
            readers, lanes, writers, keeper = (
                stack.enter_context(ThreadPoolExecutor(size, f"shard-{name}"))
                for name, size in (
                    ("read", READERS),
                    ("look", self.inspector.lanes),
                    ("write", WRITERS),
                    ("keep", 1),
                )
            )
            stack.callback(lanes.shutdown, wait=False, cancel_futures=True)
            stack.callback(readers.shutdown, wait=False, cancel_futures=True)
            on_its_way = _OnItsWay(progress=progress)
            for group in ReadAhead(self.sources, self._read, self._known, self._decode, readers):
                on_its_way.looking.append((group, lanes.submit(self._look, group)))
                self._keep_what_is_seen(on_its_way, self.inspector.lanes, keeper, writers)
                if self.given_up:
                    return
            self._keep_what_is_seen(on_its_way, 0, keeper, writers)
            self._collect(on_its_way, 0)

    def _keep_what_is_seen(
        self, on_its_way: _OnItsWay, left: int, keeper: Executor, writers: Executor
    ) -> None:
        """Hand all but the newest ``left`` groups to be stored, in their order."""
        while len(on_its_way.looking) > left and not self.given_up:
            group, future = on_its_way.looking.popleft()
            steps = self._steps(group, future, on_its_way)
            on_its_way.keeping.append(keeper.submit(self._keep, group, steps, writers))
            # one group may wait for the disk; after a failure, what it leads to is looked at first
            self._collect(on_its_way, 0 if FAILED in steps else 1)
        if self.given_up:
            self._collect(on_its_way, 0)

    def _read(self, source: str) -> bytes:
        settings = self.inspector.settings
        return read_limited(within_inbox(settings.inbox_dir, source), settings.max_image_bytes)

    def _known(self, group: Iterable[Delivery]) -> set[str]:
        keys = {inspections.work_key(self.key, one.source, one.sha256): one.source for one in group}
        try:
            with self.store.session(read_only=True) as session:
                return {keys[key] for key in inspections.known_work_keys(session, keys)}
        except Exception:  # they are inspected again then, and recorded once all the same
            log.exception("%s: what is recorded cannot be looked up", self.key)
            return set()

    def _decode(self, one: Delivery) -> None:
        start = time.perf_counter()
        try:
            one.image = self.inspector.decode(one.data)
        finally:
            one.decode_ms = round((time.perf_counter() - start) * 1000, 2)

    def _steps(
        self, group: list[Delivery], seen: Future[dict[str, Step]], on_its_way: _OnItsWay
    ) -> list[Step]:
        """A step for each file, in order; fewer when they fail one after the other."""
        try:
            found = seen.result()
        except Exception:  # the reason is told of the image that it comes from
            log.exception("%s: %d files together failed; one by one now", self.key, len(group))
            self._collect(on_its_way, 0)
            return self._one_by_one(group)
        return [found[one.source] if one.source in found else self._without_image(one) for one in group]

    def _one_by_one(self, group: list[Delivery]) -> list[Step]:
        steps: list[Step] = []
        in_a_row = self._in_a_row
        for one in group:
            try:
                steps.append(self._look([one]).get(one.source) or self._without_image(one))
            except Exception as error:  # noqa: BLE001 - one file must never stop the others
                steps.append(self._failed(one, error))
            in_a_row = in_a_row + 1 if steps[-1] == FAILED else 0
            if in_a_row == FAILURES_IN_A_ROW:
                break
        return steps

    def _look(self, group: Sequence[Delivery]) -> dict[str, Step]:
        """What the models say of those that are images, by source."""
        shown = [one for one in group if one.image is not None]
        if not shown:
            return {}
        watch = Stopwatch()
        images = [one.image for one in shown if one.image is not None]
        found = self.inspector.examine_many(images, self.category, watch)
        share = watch.share(len(shown))
        return {
            one.source: self._judged(one, answer, share) for one, answer in zip(shown, found, strict=True)
        }

    def _judged(self, one: Delivery, answer: Examination | Exception, share: dict[str, float]) -> Step:
        if isinstance(answer, Exception):
            return self._failed(one, answer)
        timings = {"decode": one.decode_ms, **share, "total": round(share["total"] + one.decode_ms, 2)}
        assert one.image is not None
        # its pixels are not needed any more, and it may wait for the disk
        image = replace(one.image, rgb=np.empty((0, 0, 3), np.uint8))
        one.image = None
        return Finished(one.data, one.source, self.category, image, answer, timings)

    def _without_image(self, one: Delivery) -> Step:
        if one.known:
            return SKIPPED
        if isinstance(one.problem, ImageRejected):
            timings = {"decode": one.decode_ms, "total": one.decode_ms}
            return Finished(one.data, one.source, self.category, None, one.problem, timings)
        if isinstance(one.problem, Unreadable):
            return one.problem
        return self._failed(one, one.problem)

    def _failed(self, one: Delivery, error: Exception | None) -> Step:
        log.error("%s: %s could not be inspected", self.key, one.source, exc_info=error)
        self.last_error = str(error) or type(error).__name__
        return FAILED

    def _keep(self, group: Sequence[Delivery], steps: Sequence[Step], writers: Executor) -> list[str]:
        """The outcome of each step, once it is stored."""
        finished = [step for step in steps if isinstance(step, Finished)]
        try:
            rows = self.inspector.keep(finished, self.key, writers) if finished else []
            verdicts = iter([str(row.verdict) for row in rows])
        except Exception:  # the reason is told of the image that it comes from
            log.exception("%s: %d results together could not be stored", self.key, len(finished))
            verdicts = iter([self._keep_alone(step) for step in finished])
        outcomes = []
        for one, step in zip(group, steps, strict=False):
            if isinstance(step, Unreadable):
                outcomes.append(self._reject(one, step))
            else:
                outcomes.append(next(verdicts) if isinstance(step, Finished) else step)
        return outcomes

    def _keep_alone(self, step: Finished) -> str:
        try:
            return str(self.inspector.keep([step], self.key)[0].verdict)
        except Exception as error:  # one file must never stop the others
            log.exception("%s: %s could not be stored", self.key, step.source)
            self.last_error = str(error) or type(error).__name__
            return FAILED

    def _reject(self, one: Delivery, reason: Unreadable) -> str:
        """Record a file without bytes. Its content hash is empty: nothing is known of the content."""
        log.warning("%s: %s rejected: %s", self.key, one.source, reason.message)
        row = inspections.rejected(one.source, "", "unreadable", reason.message, self.category)
        row.work_key, row.batch_id = inspections.work_key(self.key, one.source, ""), self.batch_id
        try:
            if one.source in self._recorded_before:
                return SKIPPED  # an earlier run saw the file; it may have been tidied away since
            with self.store.session() as session:
                _, created = inspections.record(session, row)
        except Exception as error:  # noqa: BLE001 - one file must never stop the others
            return str(self._failed(one, error))
        return Verdict.REJECTED.value if created else SKIPPED

    @cached_property
    def _recorded_before(self) -> frozenset[str]:
        """Sources the batch has rows of: looked up once, when the first file cannot be read."""
        with self.store.session(read_only=True) as session:
            return frozenset(inspections.sources(session, self.batch_id))

    def _collect(self, on_its_way: _OnItsWay, left: int) -> None:
        """Count the outcomes of all but the newest ``left`` groups that are being stored."""
        while len(on_its_way.keeping) > left:
            for outcome in on_its_way.keeping.popleft().result():
                self.counts[outcome] += 1
                self._in_a_row = self._in_a_row + 1 if outcome == FAILED else 0
                self.given_up |= self._in_a_row >= FAILURES_IN_A_ROW
            if on_its_way.progress is not None:
                on_its_way.progress(self.counts.total(), len(self.sources))


@dataclass
class _OnItsWay:
    """Groups between being decoded and being stored, oldest first."""

    progress: Progress | None
    looking: deque[tuple[list[Delivery], Future[dict[str, Step]]]] = field(default_factory=deque)
    keeping: deque[Future[list[str]]] = field(default_factory=deque)
