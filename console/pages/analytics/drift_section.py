"""The section on drift: how far each product has moved from what its model saw first."""

from __future__ import annotations

from collections.abc import Sequence

from anomalyos.drift.tables import DriftCheck, DriftOutcome
from console.pages.analytics import chart_style, shares
from console.pages.analytics import chart_style as style
from console.pages.analytics.chart_style import Options
from console.pages.analytics.section import View, nothing, section
from console.pages.analytics.shares import Row
from console.services.analytics.drift import METRICS, DriftReport, in_times, largest, times
from console.texts import wording
from console.texts.wording import Label
from console.ui import kit
from console.ui.kit import Text, box

LOOKS = {
    "score": (style.ACCENT, "solid"),
    "category": (style.MUTED, "dotted"),
    "brightness": (style.FLAGGED, "solid"),
    "sharpness": (style.NORMAL, "dashed"),
    "embedding": (style.DEFECT, "dashed"),
}


def chart_over_time(checks: Sequence[DriftCheck]) -> Options:
    """One line a metric over the days of one product, in thresholds, with a mark where drift begins.

    Args:
        checks: comparisons with figures, by day.
    """
    days = [check.day for check in checks]
    tips = [_tip(check) for check in checks]
    series = []
    for metric, (colour, dash) in LOOKS.items():
        values = [_times_of(check, metric) for check in checks]
        points = [
            None if value is None else {"value": round(value, 3), "tip": tip}
            for value, tip in zip(values, tips, strict=True)
        ]
        own = style.line(
            points, colour, name=METRICS[metric], lineStyle={"color": colour, "type": dash, "width": 2}
        )
        series.append(own)
    series[0]["markLine"] = {
        "silent": True,
        "symbol": ["none", "none"],
        "data": [
            {
                "yAxis": 1,
                "lineStyle": {"color": style.TEXT, "type": "dashed", "width": 1.5},
                "label": {"formatter": "drift", "position": "insideEndTop", "color": style.TEXT},
            }
        ],
    }
    return style.base(
        legend={"top": 0, "right": 8, "textStyle": {"color": style.MUTED}, "itemWidth": 22},
        grid={"left": 52, "right": 14, "top": 36, "bottom": 26},
        xAxis=style.names_axis([wording.short_day(day) for day in days]),
        yAxis=style.amount_axis("Thresholds"),
        series=series,
    )


def _times_of(check: DriftCheck, metric: str) -> float | None:
    found = [times(figure) for figure in check.figures if figure["metric"] == metric]
    return found[0] if found else None


def _tip(check: DriftCheck) -> str:
    lines = [wording.short_day(check.day)]
    lines += [f"{METRICS[str(figure['metric'])]}: {times(figure):.2f} thresholds" for figure in check.figures]
    if check.injected_count:
        lines.append(f"{check.injected_count} records injected")
    return "\n".join(lines)


TITLE = "Drift"
NOTE = (
    "The model's first records against its latest: anomaly score, predicted product, brightness, sharpness "
    "and the look of the whole image. Bars show what moved most; drift begins at the dashed mark. Methods "
    "and thresholds stand in include/drift.yaml."
)
DRIFTED = Label("Drifted", "trending_up", "flagged")
STABLE = Label("Stable", "check_circle", "normal")
TOO_FEW = Label("Too few records", "hourglass_empty", "unsure")
LABELS = {DriftOutcome.DRIFTED: DRIFTED, DriftOutcome.STABLE: STABLE, DriftOutcome.TOO_FEW: TOO_FEW}


def draw(view: View, reports: dict[str, list[DriftReport]]) -> None:
    box().props("id=drift")
    found = view.report.drift.newest()
    if not found:
        with section(view, TITLE, "No drift report has been written yet.", wide=True):
            _injected(view)
            _what_accumulates(view)
        return
    with section(view, TITLE, reading(found), table="drift", note=NOTE, wide=True):
        _injected(view)
        if view.report.wanted.category:
            _over_time(view)
        compared = [check for check in found.values() if check.figures]
        if compared:
            _bars(view, compared)
        _links(found, reports)


def reading(found: dict[str, DriftCheck]) -> str:
    """One sentence on the last reports."""
    drifted = [
        wording.product(name) for name, check in found.items() if check.outcome == DriftOutcome.DRIFTED
    ]
    few = sum(check.outcome == DriftOutcome.TOO_FEW for check in found.values())
    if drifted:
        return f"{', '.join(drifted)} drifted: see what moved, and whether it was meant to."
    if few == len(found):
        return "The models in use are too young to compare anything with."
    stable = wording.plural(len(found) - few, "product")
    return f"No drift in {stable}." + (f" {few} more have too few records yet." if few else "")


def _injected(view: View) -> None:
    made = view.report.drift.injected
    if not made:
        return
    named = ", ".join(f"{wording.product(name)} {count:,}" for name, count in sorted(made.items()))
    kit.notice(
        f"Injected records are among those compared ({named}): they are no photographs of the line. "
        "Remove them with: anomalyos simulate clear",
        "unsure",
        "science",
    ).mark("injected")


def _over_time(view: View) -> None:
    checks = [check for check in view.report.drift.checks if check.figures]
    if len(checks) > 1:
        label = f"{TITLE} over time, in thresholds. {reading(view.report.drift.newest())}"
        chart_style.draw(chart_over_time(checks), label, 250)


def _bars(view: View, checks: list[DriftCheck]) -> None:
    rows = [_row(view, check) for check in checks]
    top = max(1.25, *(row.value or 0.0 for row in rows))
    # far beyond the threshold is far beyond: longer bars would only make the others invisible
    top = min(top, 6.0)
    shares.draw_rows(
        rows, tone="accent", scale=(0, top), ends=("0", in_times(top)), columns=2 if len(rows) > 7 else 1
    )


def _row(view: View, check: DriftCheck) -> Row:
    worst = largest(check)
    metric, value = worst if worst is not None else ("score", 0.0)
    detail = f"{METRICS[metric]}; {check.current_count} records against {check.reference_count}"
    if check.injected_count:
        detail += f"; {check.injected_count} injected"
    alarm = view.report.drift.alarms.get(check.category)
    if alarm is not None and alarm.check_id == check.id:
        detail += f"; retraining started {wording.moment(alarm.raised_at)}"
    return Row(
        wording.product(check.category),
        value,
        value,
        value,
        in_times(value),
        detail,
        tick=1.0,
        badge=LABELS[DriftOutcome(check.outcome)],
        href=view.report.wanted.where("category", check.category).address() + "#drift",
    )


def _links(found: dict[str, DriftCheck], reports: dict[str, list[DriftReport]]) -> None:
    few = [check for check in found.values() if not check.figures]
    with box("aos-an-drift"):
        for check in few:
            with box("aos-an-drift-row"):
                Text(wording.product(check.category), "div", "aos-an-name")
                kit.badge(TOO_FEW)
                Text(f"{check.reference_count + check.current_count} so far", "div", "aos-muted")
        for category, own in reports.items():
            with box("aos-an-drift-row").mark(f"reports-{category}"):
                Text(wording.product(category), "div", "aos-an-name")
                Text("Reports:", "div", "aos-muted")
                for report in own:
                    kit.link(
                        wording.short_day(report.day),
                        report.address,
                        "aos-an-link",
                        "description",
                        target="_blank",
                    )


def _what_accumulates(view: View) -> None:
    report = view.report
    nothing(
        "After each night the DAG drift_report compares what a model sees now with what it saw first: "
        "scores, brightness, sharpness, the whole look. A model needs some hundred records for that."
    )
    if report.span is None:
        return
    days = wording.plural(report.span.days, "day")
    Text(
        f"Images to compare have been gathered since {wording.short_day(report.span.first)}, on {days}.",
        "p",
        "aos-an-reading",
    )
    with box("aos-an-drift"):
        for name, tally in report.by_category.items():
            with box("aos-an-drift-row"):
                Text(wording.product(name), "div", "aos-an-name")
                nights = wording.plural(report.nights_by_category[name], "day")
                Text(f"{wording.plural(tally.scored, 'image')} on {nights} of this range", "div", "aos-muted")
