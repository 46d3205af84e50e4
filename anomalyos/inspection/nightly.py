"""One night's work: find the files, inspect them load by load, sum up.

Airflow and the CLI both run this. Each can be killed at any moment and run
again: what is recorded is keyed by batch, source and content, so nothing is lost or doubled.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
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
from anomalyos.inspection.inbox import scan_inbox
from anomalyos.inspection.inspector import Inspector
from anomalyos.inspection.nights import batch_key, check_day
from anomalyos.inspection.shard_work import FAILED, ShardWork
from anomalyos.inspection.shards import Shard, cut, measured_pace, shard_name
from anomalyos.inspection.tables import BatchKind
from anomalyos.quality import data_checks

log = logging.getLogger(__name__)

RUN_ACTION = "night.run"

MOST_LANES = 4
"""Batches side by side at most: each has a network of its own in memory, and what Python does in between,
one thread at a time, keeps no more than so many busy."""


class NightFailed(AnomalyOSError):
    """Some images of a night have no result yet; running the night again is safe and continues it."""


def discover(settings: Settings, store: Store, day: str, run_id: str = "") -> list[Shard]:
    """The night's work as JSON-able shards: see :data:`anomalyos.inspection.shards.Shard`.

    Creates the batch and sets the number of files expected. What is not an image delivery is left out with
    a log line: see :func:`anomalyos.inspection.inbox.scan_inbox`.
    """
    files = scan_inbox(settings.inbox_dir, check_day(day))
    with store.session() as session:
        batch_id = _open_batch(session, day, run_id)
        # files an earlier run recorded still count when somebody has tidied the inbox since
        recorded = inspections.sources(session, batch_id)
        sources = recorded | {f"{day}/{file.path}" for file in files}
        batch = batches.set_expected(session, batch_id, len(sources))
        if len(sources) > len(recorded):
            batch.finished_at = None  # more has arrived since
    shards = cut(day, files, settings, measured_pace(store))
    log.info("%s: %d files in %d shards", batch_key(day), len(files), len(shards))
    return shards


def inspect_shard(
    shard: Shard,
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
    with store.session() as session:
        batch_id = _open_batch(session, check_day(shard["day"]))
    work = ShardWork(shard, batch_id, store, inspector or _inspector(settings, store))
    work.run(progress)
    if failed := work.counts[FAILED]:
        raise NightFailed(
            f"{shard_name(shard)}: {failed} of {len(shard['paths'])} files could not be inspected "
            f"(last reason: {work.last_error}).",
            "What was inspected is kept; run the night again once the cause is removed.",
        )
    return dict(work.counts)


def inspect_load(
    load: Sequence[Shard], settings: Settings, store: Store, progress: Progress | None = None
) -> dict[str, int]:
    """Inspect several shards in this process, one after the other; the counts of all.

    Raises:
        NightFailed: when one of them failed, after the others were tried; the message names each.
    """
    counts, failures = _inspect_all(load, settings, store, progress)
    if failures:
        hints = dict.fromkeys(error.hint for error in failures)
        raise NightFailed(" ".join(error.message for error in failures), " ".join(hints))
    return dict(counts)


def _inspect_all(
    shards: Sequence[Shard], settings: Settings, store: Store, progress: Progress | None
) -> tuple[Counter[str], list[NightFailed]]:
    """The counts of all shards, and why some failed: that stops none of the others."""
    total = sum(len(shard["paths"]) for shard in shards)
    inspector = _inspector(settings, store) if shards else None
    counts: Counter[str] = Counter()
    failures: list[NightFailed] = []
    before = 0
    for shard in shards:
        step = None if progress is None else partial(_shifted, progress, before, total)
        try:
            counts.update(inspect_shard(shard, settings, store, step, inspector))
        except NightFailed as error:
            log.exception("a shard of the night %s failed: %s", shard["day"], shard_name(shard))
            failures.append(error)
        before += len(shard["paths"])
    return counts, failures


def _refuse_stopped(shard: Shard, store: Store) -> None:
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
        missing = batches.summary(session, batch_id).expected - len(inspections.sources(session, batch_id))
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
    counts, failures = _inspect_all(shards, settings, store, progress)
    return {**summarise(settings, store, day, len(failures)), "now": dict(counts)}


def batch_of_run(store: Store, run_id: str) -> str | None:
    """Key of the batch an Airflow run worked on, None when the run is not known."""
    query = select(AuditEvent).where(AuditEvent.action == RUN_ACTION, AuditEvent.subject == f"run:{run_id}")
    with store.session() as session:
        event = session.exec(query).first()
    return str(event.detail["batch"]) if event is not None else None


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
    """One for many images: they are waited for together, so each thread has its own."""
    return Inspector(settings, store, lanes=min(settings.threads, MOST_LANES))


def _shifted(progress: Progress, before: int, total: int, done: int, _of: int) -> None:
    progress(before + done, total)
