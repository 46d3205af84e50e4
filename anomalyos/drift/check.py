"""Drift of one product: what its champion saw first against what it sees now."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

from anomalyos.core.errors import NotFound
from anomalyos.core.progress import Progress
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.db.rows import stored_id
from anomalyos.drift import checks as drift_checks
from anomalyos.drift.comparison import compare
from anomalyos.drift.page import write_page
from anomalyos.drift.rules import DriftRules, load_rules
from anomalyos.drift.tables import DriftCheck, DriftOutcome
from anomalyos.drift.windows import Windows, load_windows, observe
from anomalyos.models.champions import Champions
from anomalyos.models.champions import Champions as Present
from anomalyos.models.tables import ModelVersion


def inspected_categories(settings: Settings, store: Store, wanted: Iterable[str] = ()) -> list[str]:
    """Categories with a champion, or those of ``wanted``.

    Raises:
        NotFound: naming every one of ``wanted`` that has none.
    """
    known = sorted(Champions(settings, store).pointers())
    asked = sorted(set(wanted))
    missing = [name for name in asked if name not in known]
    if missing:
        raise NotFound(
            f"No model is in use for: {', '.join(missing)}.", "Build one with 'anomalyos rebuild'."
        )
    return asked or known


def check_drift(
    category: str,
    settings: Settings,
    store: Store,
    *,
    day: str,
    run_id: str = "",
    champions: Champions | None = None,
    progress: Progress | None = None,
) -> DriftCheck:
    """Compare the windows of the category's champion, and keep figures and page.

    The same windows under the same rules are compared once a day: asked again, the kept row is the answer.

    Args:
        day: YYYY-MM-DD the report stands for.
        champions: whose networks are loaded already, when several categories are compared.
        progress: told of photographs as they are measured.

    Raises:
        NotFound: when no model is in use for the category.
        AnomalyOSError: for rules that are not valid.
    """
    rules = load_rules(settings)
    champions = champions or Present(settings, store)
    version = champions.pointers().get(category)
    if version is None:
        raise NotFound(f"No model is in use for: {category}.", "Build one with 'anomalyos rebuild'.")
    windows = load_windows(store, stored_id(version.id), rules.windows)
    row = DriftCheck(
        content_key=content_key(category, day, version, windows, rules),
        category=category,
        day=day,
        model_version_id=stored_id(version.id),
        outcome=DriftOutcome.TOO_FEW.value,
        run_id=run_id,
    )
    with store.session(read_only=True) as session:
        known = drift_checks.by_key(session, row.content_key)
    if known is not None and (not known.page_path or (settings.drift_dir / known.page_path).is_file()):
        return known
    _fill(row, windows, version.version, rules, settings, store, champions, progress)
    with store.session() as session:
        return drift_checks.record(session, row)


def _fill(
    row: DriftCheck,
    windows: Windows,
    version: int,
    rules: DriftRules,
    settings: Settings,
    store: Store,
    champions: Champions,
    progress: Progress | None,
) -> None:
    """Measure, compare, write the page: everything but storing the row."""
    row.reference_count, row.current_count = len(windows.reference), len(windows.current)
    row.injected_count = windows.injected()
    if windows.too_few(rules.windows):
        return
    total = len(windows.reference) + len(windows.current)

    def tick(before: int) -> Progress | None:
        return None if progress is None else lambda done, _: progress(before + done, total)

    reference = observe(windows.reference, settings, store, champions, tick(0))
    current = observe(windows.current, settings, store, champions, tick(len(windows.reference)))
    row.reference_count, row.current_count = len(reference), len(current)
    if min(len(reference), len(current)) < rules.windows.least:
        return

    found = compare(reference, current, rules.metrics)
    row.figures = [figure.to_json() for figure in found.figures]
    drifted = any(figure.drifted for figure in found.figures)
    row.outcome = (DriftOutcome.DRIFTED if drifted else DriftOutcome.STABLE).value
    row.page_path = write_page(settings, row, version, found.page, rules.keep_pages)


def content_key(category: str, day: str, version: ModelVersion, windows: Windows, rules: DriftRules) -> str:
    """SHA-256 over everything the figures are made of."""
    parts = {
        "category": category,
        "day": day,
        "version": version.content_key,
        "reference": [record.key for record in windows.reference],
        "current": [record.key for record in windows.current],
        "rules": rules.digest(),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def announce(
    checks: Sequence[DriftCheck], settings: Settings, store: Store, run_id: str
) -> tuple[list[dict[str, Any]], list[str]]:
    """Which drift may start a retraining: the event to send, and why the rest starts none.

    Returns:
        ``[{"category", "metric", "size", "injected"}]``, empty when nothing is to be retrained, and one
        line for each product that drifted and has to wait.

    Raises:
        AnomalyOSError: for rules that are not valid.
    """
    rule = load_rules(settings).retraining
    with store.session() as session:
        alarms, refusals = drift_checks.raise_alarms(
            session, checks, run_id=run_id, cooldown=rule.cooldown, runs_per_day=rule.runs_per_day
        )
    injected = {check.category: check.injected_count for check in checks}
    drifts = [
        {
            "category": alarm.category,
            "metric": alarm.metric,
            "size": alarm.size,
            "injected": injected.get(alarm.category, 0),
        }
        for alarm in alarms
    ]
    return drifts, [f"{refusal.category} drifted, but {refusal.reason}." for refusal in refusals]


def in_words(check: DriftCheck) -> str:
    """``dots drifted: score 1.21 (threshold 0.5), brightness 2.03 (0.5).`` and the like."""
    made_up = f" {check.injected_count} of the records were injected." if check.injected_count else ""
    if check.outcome == DriftOutcome.TOO_FEW:
        counts = f"{check.reference_count} first and {check.current_count} later records"
        return f"{check.category}: too few records to compare ({counts}).{made_up}"
    moved = [figure for figure in check.figures if figure["drifted"]]
    if not moved:
        return f"{check.category}: no drift.{made_up}"
    named = ", ".join(
        f"{figure['metric']} {figure['value']:.2f} (threshold {figure['threshold']:g})" for figure in moved
    )
    return f"{check.category} drifted: {named}.{made_up}"
