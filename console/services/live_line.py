"""The line of one person's uploads: it goes on when the page is left, and is there when it opens again."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from anomalyos.core.errors import AnomalyOSError
from anomalyos.inspection.tables import Inspection, Verdict
from console.security.person import Person
from console.services import views
from console.services.blocking import InspectionPool, run_blocking
from console.services.inspection import InspectionService, clean_name
from console.services.live_job import LiveJob, State, UploadedFile
from console.services.metrics import Metrics

Start = Callable[[Coroutine[Any, Any, None], str], object]
"""Begins work on the event loop under a name, and keeps hold of it until it has ended."""

log = logging.getLogger(__name__)

_AT_ONCE = 2
"""Of one person at a time, so that the next person's photo never waits for a whole pile."""
_LONGEST = 500
"""Uploads that may wait; their files lie in memory or on the server's disk meanwhile."""
_REMEMBERED = 200
"""Finished and failed uploads a page can catch up with; what is older is in the day's list anyway."""


@dataclass
class Round:
    """What became of the uploads since the line was last empty."""

    verdicts: dict[str, int] = field(default_factory=dict)
    rejects: dict[str, list[str]] = field(default_factory=dict)
    """Reasons of the rejected, by their code."""
    failed: int = 0
    cancelled: int = 0
    repeated: int = 0

    @property
    def inspected(self) -> int:
        return sum(self.verdicts.values())


class LiveLine:
    """Uploads of one person in the order they came. Used on the event loop only."""

    def __init__(
        self, inspections: InspectionService, metrics: Metrics, pool: InspectionPool, start: Start
    ) -> None:
        self._inspections = inspections
        self._metrics = metrics
        self._pool = pool
        self._start = start
        self.waiting: deque[LiveJob] = deque()
        self.running: list[LiveJob] = []
        self.round = Round()
        self.finished: deque[LiveJob] = deque(maxlen=_REMEMBERED)
        self.finished_count = 0
        """Of all times; how many of ``finished`` a page has not seen yet follows from it."""
        self.failures: deque[LiveJob] = deque(maxlen=_REMEMBERED)

    @property
    def busy(self) -> bool:
        return bool(self.waiting or self.running)

    def add(self, person: Person, file: UploadedFile, category: str | None) -> None:
        """Queue one upload; the work starts at once when the line is free."""
        if len(self.waiting) >= _LONGEST:
            reason = f"{_LONGEST} photos are waiting already."
            self.refuse(person, file.name, reason, "Send it again when they are done.")
            return
        self._begin()
        self.waiting.append(LiveJob(clean_name(file.name), person, file, category))
        self._fill()

    def refuse(self, person: Person, name: str, reason: str, next_step: str) -> None:
        """Note a file that never arrived."""
        self._begin()
        job = LiveJob(clean_name(name), person)
        job.fail(reason, next_step)
        self._note_failure(job)

    def cancel_waiting(self, unsent: int = 0) -> int:
        """Drop what waits; what runs is finished. Returns how many were dropped, ``unsent`` ones too."""
        dropped = len(self.waiting) + unsent
        while self.waiting:
            job = self.waiting.popleft()
            job.state, job.file = State.CANCELLED, None
        self.round.cancelled += dropped
        return dropped

    def forget(self) -> None:
        """Take the summary and the failures away, once they have been read."""
        self.failures.clear()
        if not self.busy:
            self.round = Round()

    def _begin(self) -> None:
        if not self.busy:
            self.round = Round()

    def _fill(self) -> None:
        if self._pool.closed:
            return  # the pool takes nothing more; what waits has not been kept and can be sent again
        while self.waiting and len(self.running) < _AT_ONCE:
            job = self.waiting.popleft()
            job.state = State.RUNNING
            self.running.append(job)
            self._start(self._run(job), f"inspect {job.name!r}")

    async def _run(self, job: LiveJob) -> None:
        try:
            await self._inspect(job)
        except AnomalyOSError as error:
            job.fail(error.message, error.hint)
        except Exception:
            # the line must go on, whatever a model or a disk came up with
            log.exception("inspecting an upload failed")
            job.fail("It could not be inspected. The console's log says why.", "Send it again later.")
        finally:
            job.file = None
            self.running.remove(job)
            self._fill()
        if job.state is State.FAILED:
            self._note_failure(job)
        else:
            self._note(job)

    async def _inspect(self, job: LiveJob) -> None:
        assert job.file is not None
        data = await job.file.read()
        row = await self._pool.run(
            lambda: self._inspections.inspect(
                job.person, data, name=job.name, category=job.category, progress=job.report
            )
        )
        self._metrics.observe(row.timings_ms)
        job.repeated = row.created_at < job.since
        job.card = await run_blocking(self._card, row)
        job.state = State.DONE

    def _card(self, row: Inspection) -> views.Card:
        with self._inspections.store.session(read_only=True) as session:
            return views.cards(session, [row])[0]

    def _note(self, job: LiveJob) -> None:
        assert job.card is not None
        verdicts = self.round.verdicts
        verdicts[job.card.verdict] = verdicts.get(job.card.verdict, 0) + 1
        if job.card.verdict == Verdict.REJECTED:
            self.round.rejects.setdefault(job.card.reject_code, []).append(job.card.reject_reason)
        self.round.repeated += job.repeated
        self.finished.append(job)
        self.finished_count += 1

    def _note_failure(self, job: LiveJob) -> None:
        self.round.failed += 1
        self.failures.append(job)


class LiveLines:
    """One line a person, for as long as the console runs."""

    def __init__(
        self, inspections: InspectionService, metrics: Metrics, pool: InspectionPool, start: Start
    ) -> None:
        self._behind = (inspections, metrics, pool, start)
        self._lines: dict[int, LiveLine] = {}

    def of(self, person: Person) -> LiveLine:
        if person.user_id not in self._lines:
            self._lines[person.user_id] = LiveLine(*self._behind)
        return self._lines[person.user_id]
