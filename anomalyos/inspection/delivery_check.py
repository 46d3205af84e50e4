"""Before a night is inspected: the suite of each product over what was delivered.

A part that was photographed must be looked at, so nothing is set aside here: remarks are kept for the
morning, files that cannot be decoded are recorded as rejected by the inspection itself, and only a suite that
says so stops the files of its product. A check that fails stops nobody; it is kept, with the reason.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from typing import Any

from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.progress import Progress
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.inspection.inbox import within_inbox
from anomalyos.inspection.nights import batch_key
from anomalyos.quality import data_checks
from anomalyos.quality.data_check import evaluate, question_key, write_page
from anomalyos.quality.manifest import Baseline, build_manifest
from anomalyos.quality.measuring import ManifestFile, measure_files
from anomalyos.quality.outcome import Tally
from anomalyos.quality.rules import count_clauses, row_clauses
from anomalyos.quality.suite import load_suite
from anomalyos.quality.tables import CheckOutcome, DataCheck

log = logging.getLogger(__name__)

DELIVERED = "delivered images"


def check_shards(
    settings: Settings, store: Store, shards: Sequence[dict[str, Any]], progress: Progress | None = None
) -> list[str]:
    """Check what the shards of a night hold; returns the products whose suite says stop.

    ``inspect_shard`` refuses those. Unchanged files are not looked at again, and without files nothing is
    even imported.
    """
    stopped: list[str] = []
    for category in sorted({shard["category"] for shard in shards}, key=lambda name: name or ""):
        own = [shard for shard in shards if shard["category"] == category]
        paths = [path for shard in own for path in shard["paths"]]
        check = check_delivery(settings, store, own[0]["day"], category, paths, progress)
        if data_checks.stops(check):
            log.error("%s, %s is not inspected: %s", check.batch_key, category or "unrouted", check.reason)
            stopped.append(category or "")
    return stopped


def check_delivery(
    settings: Settings,
    store: Store,
    day: str,
    category: str | None,
    paths: Sequence[str],
    progress: Progress | None = None,
) -> DataCheck:
    """The stored check of one product's files of a night; outcome ``failed`` when it could not be made.

    Args:
        category: None for files that wait for the router.
        paths: relative to ``inbox/DAY``.
    """
    key = batch_key(day)
    try:
        row = _checked(settings, store, day, key, category or "", paths, progress)
    except Exception as error:  # the parts must be inspected, whatever is wrong with the check
        log.exception("%s: the data check of %s failed", key, category or "unrouted files")
        row = _failed(key, category or "", len(paths), error)
    with store.session() as session:
        return data_checks.record(session, row)


def _checked(
    settings: Settings,
    store: Store,
    day: str,
    key: str,
    category: str,
    paths: Sequence[str],
    progress: Progress | None,
) -> DataCheck:
    suite = load_suite(category, settings)
    rows = measure_files(_files(settings, day, paths), settings, store, progress)
    with store.session(read_only=True) as session:
        # what waits for the router is of no product yet, and nothing is usual for it
        learned = data_checks.newest(session, category) if category else None
        usual = dict(learned.reference) if learned is not None else {}
        question = question_key(category, key, suite, rows, usual=usual)
        known = data_checks.find(session, question)
    if known is not None:
        return known
    return _answer(key, category, question, suite, rows, usual, store)


def _answer(
    batch_key: str,
    category: str,
    question: str,
    suite: Any,
    rows: list[Any],
    usual: dict[str, Any],
    store: Store,
) -> DataCheck:
    frame = build_manifest(rows, Baseline(**usual) if usual else None, suite.near_duplicates.bits)
    clauses = [*row_clauses(suite, "night"), *count_clauses(suite, "night")]
    tally = Tally()
    product = category or "files that wait for the router"
    sections = evaluate(tally, f"{batch_key}, {product}", DELIVERED, frame, clauses)
    row = DataCheck(
        content_key=question,
        category=category,
        batch_key=batch_key,
        outcome=tally.outcome(0).value,
        reason=" ".join(tally.stops),
        images=len(rows),
        results=tally.results,
        findings=tally.documents(),
        reference=usual,
    )
    title = f"Data check of {product}, {batch_key.removeprefix('night-')}"
    row.page_path = write_page(row, title, tally, sections, store)
    return row


def _files(settings: Settings, day: str, paths: Sequence[str]) -> list[ManifestFile]:
    found = []
    for path in sorted(set(paths)):
        try:
            found.append(ManifestFile(within_inbox(settings.inbox_dir, f"{day}/{path}"), path, "night"))
        except AnomalyOSError as error:
            log.warning("%s/%s is not checked: %s", day, path, error)
    return found


def _failed(batch_key: str, category: str, images: int, error: Exception) -> DataCheck:
    reason = str(error) if isinstance(error, AnomalyOSError) else f"{type(error).__name__}: {error}"
    text = "\0".join((batch_key, category, str(images), reason))
    return DataCheck(
        content_key=hashlib.sha256(f"failed\0{text}".encode("utf-8", "backslashreplace")).hexdigest(),
        category=category,
        batch_key=batch_key,
        outcome=CheckOutcome.FAILED.value,
        reason=reason.replace("\0", ""),
        images=images,
    )
