"""The chart of drift over time, as ECharts options."""

from __future__ import annotations

from collections.abc import Sequence

from anomalyos.drift.tables import DriftCheck
from console.pages.analytics import chart_style as style
from console.pages.analytics.chart_style import Options
from console.services.analytics.drift import METRICS, times
from console.ui import wording

LOOKS = {
    "score": (style.ACCENT, "solid"),
    "category": (style.MUTED, "dotted"),
    "brightness": (style.FLAGGED, "solid"),
    "sharpness": (style.NORMAL, "dashed"),
    "embedding": (style.DEFECT, "dashed"),
}


def over_time(checks: Sequence[DriftCheck]) -> Options:
    """One line a metric over the days of one product, in thresholds, with a mark where drift begins.

    Args:
        checks: comparisons with figures, by day.
    """
    days = [check.day for check in checks]
    tips = [_tip(check) for check in checks]
    series = []
    for metric, (colour, dash) in LOOKS.items():
        values = [_value(check, metric) for check in checks]
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


def _value(check: DriftCheck, metric: str) -> float | None:
    found = [times(figure) for figure in check.figures if figure["metric"] == metric]
    return found[0] if found else None


def _tip(check: DriftCheck) -> str:
    lines = [wording.short_day(check.day)]
    lines += [f"{METRICS[str(figure['metric'])]}: {times(figure):.2f} thresholds" for figure in check.figures]
    if check.injected_count:
        lines.append(f"{check.injected_count} records injected")
    return "\n".join(lines)
