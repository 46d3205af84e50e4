"""The service between pages and what explains: threads of its own, shared jobs, nothing on the event loop."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar, cast

from anomalyos.accounts.tables import Role
from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.db.rows import stored_id
from anomalyos.explain.evidence import Evidence
from anomalyos.explain.explainer import Explainer
from anomalyos.reports import repository as reports
from anomalyos.reports.reporting import report_inspection
from anomalyos.reports.tables import Report
from anomalyos.reports.writer import WrittenReport
from console.security.person import Actor, require
from console.services.explain_jobs import ExplainJob, Lane, ReportJob

log = logging.getLogger(__name__)
R = TypeVar("R")

_REMEMBERED = 256
"""Inspections whose quick parts, and jobs whose findings, stay in memory."""
UNEXPECTED = "Something went wrong while this was computed; the console's log says what."


class ExplainerLike(Protocol):
    """The part of ``anomalyos.explain.explainer.Explainer`` the console uses."""

    settings: Settings
    store: Store

    def explain(
        self,
        inspection_id: int,
        wanted: Iterable[str] = ...,
        progress: Callable[[str, float], None] | None = None,
    ) -> Evidence: ...


class ConsoleStops(Exception):
    """Ends a long computation when the console is being stopped; what was finished is kept."""


@dataclass(frozen=True)
class KeptReport:
    report_id: int
    inspection_id: int
    actor: str
    created_at: datetime
    written: WrittenReport


class ExplanationService:
    """Explanations and reports over one store.

    Three small pools, none of them the inspections': the panel beside the photo is never behind a
    surrogate being fitted, and only one heavy part is computed at a time, whoever asked.
    """

    def __init__(self, store: Store, explainer: Callable[[], ExplainerLike]) -> None:
        self._store = store
        self._explainer = explainer
        self._quick = ThreadPoolExecutor(2, thread_name_prefix="why")
        self._heavy = ThreadPoolExecutor(1, thread_name_prefix="explaining")
        self._writers = ThreadPoolExecutor(2, thread_name_prefix="report")
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._jobs: OrderedDict[int, ExplainJob] = OrderedDict()
        self._reports: OrderedDict[int, ReportJob] = OrderedDict()
        self._seen: OrderedDict[tuple[int, int, tuple[str, ...]], Evidence] = OrderedDict()

    @property
    def explainer(self) -> ExplainerLike:
        """What explains inspections; the first access loads what it needs, so never from the event loop."""
        return self._explainer()

    def close(self) -> None:
        """Drop what waits and end what runs at its next step."""
        self._closing.set()
        for pool in (self._quick, self._heavy, self._writers):
            pool.shutdown(wait=False, cancel_futures=True)

    # beside the photo ------------------------------------------------------------------------

    def remembered(self, inspection_id: int, review_version: int, parts: tuple[str, ...]) -> Evidence | None:
        """What ``quick`` last gave for the same question, at once; it may be a little old."""
        return self._seen.get((inspection_id, review_version, parts))

    async def quick(
        self, inspection_id: int, review_version: int, parts: tuple[str, ...], wanted: Callable[[], bool]
    ) -> Evidence | None:
        """Some quick parts, or None when nobody wants them any more by the time a thread is free.

        Raises:
            AnomalyOSError: in words why nothing could be had.
        """

        def work() -> Evidence | None:
            if not wanted() or self._closing.is_set():
                return None
            evidence = self.explainer.explain(inspection_id, parts, self._go_on)
            with self._lock:
                self._seen[(inspection_id, review_version, parts)] = evidence
                while len(self._seen) > _REMEMBERED:
                    self._seen.popitem(last=False)
            return evidence

        return await self._run(self._quick, work)

    # in depth --------------------------------------------------------------------------------

    def ask(self, inspection_id: int, parts: Iterable[str]) -> ExplainJob:
        """Have ``parts`` computed; the job is the same for everybody who looks at this inspection."""
        with self._lock:
            job = self._jobs.setdefault(inspection_id, ExplainJob(inspection_id))
            self._jobs.move_to_end(inspection_id)
            for old in [key for key, kept in self._jobs.items() if kept.finished and kept is not job]:
                if len(self._jobs) > _REMEMBERED:
                    del self._jobs[old]
        for lane in job.ask(parts):
            self._pool(lane).submit(self._step, job, lane)
        return job

    def _pool(self, lane: Lane) -> ThreadPoolExecutor:
        return self._heavy if lane == "heavy" else self._quick

    def _step(self, job: ExplainJob, lane: Lane) -> None:
        """One group, then to the end of the line: two people's explanations advance side by side."""
        group = job.next_group(lane)
        if group is None:
            return

        def progress(part: str, share: float) -> None:
            self._go_on(part, share)
            job.progress(part, share * len(group) - group.index(part) if part in group else share)

        try:
            job.found(group, self.explainer.explain(job.inspection_id, group, progress))
        except AnomalyOSError as error:
            job.failed(group, str(error))
        except ConsoleStops:
            return
        except Exception:
            log.exception("explaining inspection %d failed at %s", job.inspection_id, ", ".join(group))
            job.failed(group, UNEXPECTED)
        if not self._closing.is_set():
            self._pool(lane).submit(self._step, job, lane)

    # reports ---------------------------------------------------------------------------------

    def writing(self, inspection_id: int) -> ReportJob | None:
        """The report that is being written about an inspection, if one is."""
        job = self._reports.get(inspection_id)
        return job if job is not None and not job.done else None

    def write(self, actor: Actor, inspection_id: int) -> ReportJob:
        """Begin a report, or join the one that is being written; it is kept even if nobody waits for it.

        Raises:
            NotAllowed: the actor is only a viewer.
        """
        require(actor, Role.REVIEWER)
        with self._lock:
            running = self.writing(inspection_id)
            if running is not None:
                return running
            job = self._reports[inspection_id] = ReportJob(inspection_id, actor.name)
            self._reports.move_to_end(inspection_id)
            while len(self._reports) > _REMEMBERED:
                self._reports.popitem(last=False)
        self._writers.submit(self._write, job)
        return job

    def _write(self, job: ReportJob) -> None:
        def progress(part: str, share: float) -> None:
            self._go_on(part, share)
            job.part, job.share = part, share

        try:
            reported = report_inspection(
                job.inspection_id,
                cast("Explainer", self.explainer),  # it uses what ExplainerLike names
                job.actor,
                on_text=job.text.append,
                progress=progress,
            )
            job.report_id = reported.report_id
        except AnomalyOSError as error:
            job.error = str(error)
        except ConsoleStops:
            job.error = "The console was stopped before the report was finished."
        except Exception:
            log.exception("Writing a report on inspection %d failed", job.inspection_id)
            job.error = UNEXPECTED
        job.done = True

    def latest_report(self, inspection_id: int) -> KeptReport | None:
        """Blocking: the newest kept report of an inspection."""
        with self._store.session(read_only=True) as session:
            row = reports.latest(session, inspection_id)
        return None if row is None else _kept(row)

    def report(self, report_id: int) -> KeptReport:
        """Blocking. Raises ``NotFound``."""
        with self._store.session(read_only=True) as session:
            return _kept(reports.get(session, report_id))

    async def in_background(self, work: Callable[[], R]) -> R:
        """Run other slow work (an export, an inspection run again) beside the reports."""
        return await self._run(self._writers, work)

    # shared ----------------------------------------------------------------------------------

    def _go_on(self, part: str, share: float) -> None:
        if self._closing.is_set():
            raise ConsoleStops

    async def _run(self, pool: ThreadPoolExecutor, work: Callable[[], R]) -> R:
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, work)
        except (AnomalyOSError, asyncio.CancelledError):
            raise
        except Exception as error:
            log.exception("An explanation failed")
            raise AnomalyOSError(UNEXPECTED) from error


def _kept(row: Report) -> KeptReport:
    return KeptReport(stored_id(row.id), row.inspection_id, row.actor, row.created_at, reports.restore(row))
