"""One night's work: find the files, inspect them shard by shard, sum up.

Airflow and the CLI both run these three functions. Each can be killed at any moment and run
again: what is recorded is keyed by batch, source and content, so nothing is lost or doubled.
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from sqlmodel import Session, select

from anomalyos.accounts import audit
from anomalyos.accounts.tables import AuditEvent
from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.progress import Progress
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.db.rows import stored_id
from anomalyos.inspection import batches, inspections
from anomalyos.inspection.delivery_check import check_shards
from anomalyos.inspection.inbox import scan_inbox, within_inbox
from anomalyos.inspection.inspections import work_key
from anomalyos.inspection.inspector import Inspector, get_inspector
from anomalyos.inspection.nights import batch_key, check_day
from anomalyos.inspection.tables import BatchKind, Inspection, Verdict
from anomalyos.quality import data_checks

log = logging.getLogger(__name__)


FAILURES_IN_A_ROW = 5
"""After so many failures one after the other the cause is not the image: the shard gives up."""

RUN_ACTION = "night.run"


class NightFailed(AnomalyOSError):
    """Some images of a night have no result yet; running the night again is safe and continues it."""


class Unreadable(AnomalyOSError):
    """The bytes of a file cannot be had; the message is the reason a reviewer sees."""


def discover(settings: Settings, store: Store, day: str, run_id: str = "") -> list[dict[str, Any]]:
    """The night's work as JSON-able shards, at most ``settings.shard_size`` files each.

    A shard is ``{"batch_key", "day", "category" (None: the router decides), "paths" (relative to
    ``inbox/DAY``)}``. Creates the batch and sets the number of files expected. What is not an
    image delivery is left out with a log line: see :func:`anomalyos.inspection.inbox.scan_inbox`.
    """
    files = scan_inbox(settings.inbox_dir, check_day(day))
    with store.session() as session:
        batch_id = _open_batch(session, day, run_id)
        # files an earlier run recorded still count when somebody has tidied the inbox since
        recorded = _recorded_sources(session, batch_id)
        sources = recorded | {f"{day}/{file.path}" for file in files}
        batch = batches.set_expected(session, batch_id, len(sources))
        if len(sources) > len(recorded):
            batch.finished_at = None  # more has arrived since
    shards: list[dict[str, Any]] = []
    for category in sorted({file.category for file in files}, key=lambda name: name or ""):
        paths = [file.path for file in files if file.category == category]
        shards += [
            {"batch_key": batch_key(day), "day": day, "category": category, "paths": part}
            for part in _parts(paths, settings.shard_size)
        ]
    log.info("%s: %d files in %d shards", batch_key(day), len(files), len(shards))
    return shards


def inspect_shard(
    shard: dict[str, Any],
    settings: Settings,
    store: Store,
    progress: Progress | None = None,
    inspector: Inspector | None = None,
) -> dict[str, int]:
    """Inspect every file of a shard that has no row yet.

    Returns how many files came out as ``normal``, ``anomalous``, ``unknown_category`` and
    ``rejected``, and how many were ``skipped`` because an earlier run had recorded them. A file that
    cannot be read is recorded as rejected.

    Raises:
        NightFailed: when files could not be inspected for reasons outside the files themselves,
            after the others were. The rows written stay. Also when a data check stopped the product.
    """
    _refuse_stopped(shard, store)
    worker = _ShardWorker(shard, settings, store, inspector or _inspector(settings, store))
    paths: list[str] = shard["paths"]
    in_a_row = 0
    for done, path in enumerate(paths, start=1):
        outcome = worker.work_on(path)
        worker.counts[outcome] += 1
        in_a_row = in_a_row + 1 if outcome == "failed" else 0
        if in_a_row == FAILURES_IN_A_ROW:
            break
        if progress is not None:
            progress(done, len(paths))
    if worker.counts["failed"]:
        raise NightFailed(
            f"{worker.counts['failed']} of {len(paths)} files of a shard could not be inspected "
            f"(last reason: {worker.last_error}).",
            "What was inspected is kept; run the night again once the cause is removed.",
        )
    return dict(worker.counts)


def _refuse_stopped(shard: dict[str, Any], store: Store) -> None:
    with store.session(read_only=True) as session:
        check = data_checks.newest(session, shard["category"] or "", batch_key(shard["day"]))
    if check is not None and data_checks.stops(check):
        raise NightFailed(
            f"{shard_name(shard)} is not inspected. {check.reason}",
            "See Data checks in the console: let it go on there, or correct suite or files, run it again.",
        )


def summarise(settings: Settings, store: Store, day: str, failed_shards: int = 0) -> dict[str, Any]:
    """Figures of the night; marks the batch finished when every expected file has a row.

    Raises:
        NightFailed: when shards failed or files are without a row.
    """
    with store.session() as session:
        batch_id = _open_batch(session, check_day(day))
        missing = batches.summary(session, batch_id).expected - len(_recorded_sources(session, batch_id))
        complete = not failed_shards and missing <= 0
        if complete:
            batches.finish(session, batch_id)
        figures = batches.summary(session, batch_id)
        stopped = data_checks.stopped_reasons(session, batch_key(day))
    document = {"batch": batch_key(day), "day": day, "failed_shards": failed_shards, **asdict(figures)}
    log.info("%s: %s", batch_key(day), document)
    if not complete:
        raise NightFailed(
            f"The night {day} is incomplete: {failed_shards} shards failed, "
            f"{max(0, missing)} of {figures.expected} files have no result."
            + "".join(f" Stopped by its data check: {reason}" for reason in stopped),
            "Look at the failed tasks, then run the night again: it continues where it stopped.",
        )
    return document


def run_night(
    settings: Settings, store: Store, day: str, progress: Progress | None = None, run_id: str = ""
) -> dict[str, Any]:
    """A whole night in this process, without Airflow: the summary, with ``now``, this run's counts.

    Raises:
        NightFailed: as :func:`summarise` does, after every shard was tried.
    """
    shards = discover(settings, store, day, run_id)
    check_shards(settings, store, shards)
    total = sum(len(shard["paths"]) for shard in shards)
    counts: Counter[str] = Counter()
    inspector = _inspector(settings, store) if shards else None
    failed = before = 0
    for shard in shards:
        step = None if progress is None else partial(_shifted, progress, before, total)
        try:
            counts.update(inspect_shard(shard, settings, store, step, inspector))
        except NightFailed:
            log.exception("a shard of the night %s failed: %s", day, shard_name(shard))
            failed += 1
        before += len(shard["paths"])
    return {**summarise(settings, store, day, failed), "now": dict(counts)}


def shard_name(shard: dict[str, Any]) -> str:
    """What a person calls the shard: ``hazelnut: 001.png … 064.png``."""
    names = [path.rsplit("/", 1)[-1] for path in shard["paths"]]
    span = names[0] if len(names) == 1 else f"{names[0]} … {names[-1]}"
    return f"{shard['category'] or 'to be routed'}: {span}"


def batch_of_run(store: Store, run_id: str) -> str | None:
    """Key of the batch an Airflow run worked on, None when the run is not known."""
    query = select(AuditEvent).where(AuditEvent.action == RUN_ACTION, AuditEvent.subject == f"run:{run_id}")
    with store.session() as session:
        event = session.exec(query).first()
    return str(event.detail["batch"]) if event is not None else None


class _ShardWorker:
    """What one shard's files have in common, and the counts so far."""

    def __init__(self, shard: dict[str, Any], settings: Settings, store: Store, inspector: Inspector) -> None:
        self.settings = settings
        self.store = store
        self.inspector = inspector
        self.day = check_day(shard["day"])
        self.key = batch_key(self.day)
        self.category: str | None = shard["category"]
        self.counts: Counter[str] = Counter()
        self.last_error = ""
        with store.session() as session:
            self.batch_id = _open_batch(session, self.day)
            self.known = inspections.existing_work_keys(session, self.batch_id)

    def work_on(self, path: str) -> str:
        """Outcome of one file: a verdict, ``skipped`` or ``failed``."""
        try:
            return self._inspect(path)
        except Exception as error:  # one file must never stop the others
            log.exception("%s: %s could not be inspected", self.key, path)
            self.last_error = str(error) or type(error).__name__
            return "failed"

    def _inspect(self, path: str) -> str:
        source = f"{self.day}/{path}"
        try:
            data = read_limited(within_inbox(self.settings.inbox_dir, source), self.settings.max_image_bytes)
        except Unreadable as reason:
            return self._reject(source, reason)
        if work_key(self.key, source, hashlib.sha256(data).hexdigest()) in self.known:
            return "skipped"
        row = self.inspector.inspect(data, source=source, batch_key=self.key, category=self.category)
        return str(row.verdict)

    def _reject(self, source: str, reason: Unreadable) -> str:
        """Record a file without bytes. Its content hash is empty: nothing is known of the content."""
        log.warning("%s: %s rejected: %s", self.key, source, reason.message)
        row = inspections.rejected(source, "", "unreadable", reason.message, self.category)
        row.work_key, row.batch_id = work_key(self.key, source, ""), self.batch_id
        with self.store.session() as session:
            if source in _recorded_sources(session, self.batch_id):
                return "skipped"  # an earlier run saw the file; it may have been tidied away since
            _, created = inspections.record(session, row)
        return Verdict.REJECTED.value if created else "skipped"


def read_limited(path: Path, limit: int) -> bytes:
    """At most ``limit`` + 1 bytes of a file: enough for the decoder to see that it is too large.

    Raises:
        Unreadable: when the file is gone, forbidden, not a regular file, or the disk fails.
    """
    try:
        if not path.is_file():
            raise Unreadable("The file is gone, or is not a regular file.")
        with path.open("rb") as file:
            return file.read(limit + 1)
    except OSError as error:
        raise Unreadable(f"The file cannot be read: {error.strerror or error}.") from error


def _open_batch(session: Session, day: str, run_id: str = "") -> int:
    """Id of the night's batch; a run is noted once, so that its page can link to the batch."""
    key = batch_key(day)
    batch = batches.get_or_create(session, key=key, kind=BatchKind.NIGHTLY.value, day=day, run_id=run_id)
    if run_id:
        subject = f"run:{run_id}"
        seen = select(AuditEvent.id).where(AuditEvent.action == RUN_ACTION, AuditEvent.subject == subject)
        if session.exec(seen).first() is None:
            audit.write(session, actor="airflow", action=RUN_ACTION, subject=subject, detail={"batch": key})
    return stored_id(batch.id)


def _inspector(settings: Settings, store: Store) -> Inspector:
    """The process's own, with its models loaded, when it works on this home."""
    shared = get_inspector()
    return shared if shared.settings is settings and shared.store is store else Inspector(settings, store)


def _shifted(progress: Progress, before: int, total: int, done: int, _of: int) -> None:
    progress(before + done, total)


def _parts(paths: list[str], size: int) -> Iterable[list[str]]:
    return (paths[start : start + size] for start in range(0, len(paths), size))


def _recorded_sources(session: Session, batch_id: int) -> set[str]:
    return set(session.exec(select(Inspection.source).where(Inspection.batch_id == batch_id)))
