"""The figures behind each section as a table: what "Show as table" and the CSV files hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from anomalyos.core.statistics.proportion import Share, shares
from console.services.analytics.quality_counts import QualityCounts
from console.services.analytics.report import Report
from console.services.csv_table import Cell, Table
from console.texts import wording

_COUNTS = (
    "images",
    "could not be read",
    "flagged",
    "flag rate",
    "flag rate low 95 %",
    "flag rate high 95 %",
    "confirmed defects",
    "defect rate",
    "defect rate low 95 %",
    "defect rate high 95 %",
    "still open",
)
_ALARMS = (
    "false alarms",
    "parts believed normal",
    "false-alarm rate",
    "false-alarm rate low 95 %",
    "false-alarm rate high 95 %",
    "promised at most",
    "undecided or unsure",
    "promise",
)


def of_days(report: Report) -> Table:
    named = {start.isoformat(): tally for start, tally in report.by_bin.items()}
    return Table((f"{report.bins.step} from", *_COUNTS), _counts(named))


def of_categories(report: Report) -> Table:
    return Table(("product", *_COUNTS), _counts(report.by_category))


def of_lines(report: Report) -> Table:
    return Table(("line", *_COUNTS), _counts(report.by_line))


def of_alarms(report: Report) -> Table:
    return Table(("product", *_ALARMS), _alarms(report.by_category))


def of_alarm_days(report: Report) -> Table:
    named = {start.isoformat(): tally for start, tally in report.by_bin.items()}
    return Table((f"{report.bins.step} from", *_ALARMS), _alarms(named))


def of_defects(report: Report) -> Table:
    total, sum_so_far = sum(defect.count for defect in report.defects), 0
    rows: list[list[Cell]] = []
    for defect in report.defects:
        sum_so_far += defect.count
        rows.append([defect.name or "(not named)", defect.count, _round(sum_so_far / total)])
    return Table(("defect type", "confirmed", "cumulative share"), rows)


def of_agreement(report: Report) -> Table:
    header = (
        "first",
        "second",
        "items",
        "same decision",
        "agreement by chance",
        "kappa",
        "low 95 %",
        "high 95 %",
    )
    rows: list[list[Cell]] = []
    for pair in report.pairs:
        found = pair.agreement
        row: list[Cell] = [pair.first, pair.second, found.items, found.same, _round(found.chance)]
        rows.append([*row, *(_round(value) for value in (found.kappa, found.low, found.high))])
    return Table(header, rows)


def of_paces(report: Report) -> Table:
    return Table(
        ("reviewer", "decisions", "timed decisions", "median seconds", "p90 seconds"),
        [[p.reviewer, p.decisions, p.timed, _round(p.median_s), _round(p.p90_s)] for p in report.paces],
    )


def of_latency(report: Report) -> Table:
    return Table(
        (f"{report.bins.step} from", "images measured", "p50 ms", "p95 ms"),
        [
            [start.isoformat(), spent.images, _round(spent.p50), _round(spent.p95)]
            for start, spent in sorted(report.latency.by_bin.items())
        ],
    )


def of_stages(report: Report) -> Table:
    return Table(
        ("stage", "images measured", "p50 ms", "p95 ms"),
        [
            [wording.STAGES[stage], spent.images, _round(spent.p50), _round(spent.p95)]
            for stage, spent in report.latency.by_stage.items()
        ],
    )


def of_champions(report: Report) -> Table:
    return Table(
        ("product", "version", "champion since", "until", "by rollback"),
        [[r.category, r.version, r.since, r.until, r.rolled_back] for r in report.champion_periods],
    )


def of_drift(report: Report) -> Table:
    header = ("product", "day", "outcome", "metric", "method", "distance", "threshold", "drifted", "injected")
    rows: list[list[Cell]] = []
    for check in report.drift.checks:
        start: list[Cell] = [check.category, check.day, check.outcome]
        for figure in check.figures:
            own = [figure[name] for name in ("metric", "method", "value", "threshold", "drifted")]
            rows.append([*start, *own, check.injected_count])
        if not check.figures:
            rows.append([*start, "", "", None, None, None, check.injected_count])
    return Table(header, rows)


TABLES: Mapping[str, Callable[[Report], Table]] = {
    "days": of_days,
    "products": of_categories,
    "lines": of_lines,
    "false-alarms": of_alarms,
    "false-alarm-days": of_alarm_days,
    "defect-types": of_defects,
    "agreement": of_agreement,
    "decision-times": of_paces,
    "latency": of_latency,
    "stages": of_stages,
    "champions": of_champions,
    "drift": of_drift,
}
"""By the name the address of the CSV file holds."""


def _counts(tallies: Mapping[str, QualityCounts]) -> list[list[Cell]]:
    own = list(tallies.values())
    flags = shares([t.flagged for t in own], [t.inspected for t in own])
    defects = shares([t.defects for t in own], [t.inspected for t in own])
    return [
        [
            name,
            tally.images,
            tally.rejected,
            tally.flagged,
            *_rate(flag),
            tally.defects,
            *_rate(defect),
            tally.open,
        ]
        for (name, tally), flag, defect in zip(tallies.items(), flags, defects, strict=True)
    ]


def _alarms(tallies: Mapping[str, QualityCounts]) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    for name, tally in tallies.items():
        found, standing = tally.alarm_share(), tally.standing()
        row: list[Cell] = [name, tally.false_alarms, tally.believed_normal, *_rate(found)]
        rows.append([*row, _round(tally.promised), tally.unsettled, standing.value if standing else ""])
    return rows


def _rate(found: Share) -> tuple[Cell, Cell, Cell]:
    """Empty without cases: an interval from 0 to 1 would look like a finding."""
    if not found.total:
        return None, None, None
    return _round(found.value), _round(found.low), _round(found.high)


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
