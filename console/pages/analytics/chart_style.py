"""How charts look: the console's own colours, in light and dark alike, and nothing that moves.

Charts are drawn as SVG, whose colours may be CSS variables: switching the theme needs no redrawing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nicegui import ui

from console.ui.kit import box

Options = dict[str, Any]

FONT = 'Roboto, system-ui, "Segoe UI", sans-serif'
ACCENT, NORMAL, DEFECT, FLAGGED = "var(--accent)", "var(--normal)", "var(--defect)", "var(--flagged)"
MUTED, FAINT, TEXT = "var(--muted)", "var(--faint)", "var(--text)"
LINE, STRONG_LINE = "var(--line)", "var(--line-strong)"

# the point under the pointer says itself what it is; as text, because names are anybody's
_TIP = """(points) => {
  const tips = [].concat(points).map((p) => p.data?.tip).filter(Boolean);
  const box = document.createElement("div");
  box.className = "aos-an-tip";
  box.textContent = [...new Set(tips)].join("\\n");
  return tips.length ? box : "";
}"""
_DOTS_AT_MOST = 45
_PERCENT = "(v) => `${+(100 * v).toFixed(2)} %`"


def draw(options: Options, label: str, height: int) -> ui.echart:
    """A chart of ``height`` pixels; ``label`` is what it says to those who do not see it."""
    with box("aos-an-chart", aria_label=label).props("role=img"):
        chart = ui.echart(options, renderer="svg").style(f"height: {height}px")
    return chart


def base(**own: Any) -> Options:
    return {
        "animation": False,
        "textStyle": {"fontFamily": FONT, "fontSize": 12, "color": MUTED},
        "grid": {"left": 8, "right": 12, "top": 16, "bottom": 4, "containLabel": True},
        "tooltip": {
            "trigger": "axis",
            ":formatter": _TIP,
            "confine": True,
            "backgroundColor": TEXT,
            "borderWidth": 0,
            "padding": [6, 10],
            "axisPointer": {"type": "line", "lineStyle": {"color": FAINT, "type": "dotted"}},
            "transitionDuration": 0,
        },
        **own,
    }


def names_axis(names: Sequence[str], **own: Any) -> Options:
    return {
        "type": "category",
        "data": list(names),
        "axisLine": {"lineStyle": {"color": LINE}},
        "axisTick": {"show": False},
        "axisLabel": {"color": MUTED, "hideOverlap": True},
        **own,
    }


def amount_axis(title: str = "", **own: Any) -> Options:
    return {
        "type": "value",
        "min": 0,
        "name": title,
        "nameTextStyle": {"color": FAINT, "align": "left", "padding": [0, 0, 0, -24]},
        "splitNumber": 4,
        "splitLine": {"lineStyle": {"color": LINE}},
        "axisLabel": {"color": MUTED},
        **own,
    }


def percent_axis(title: str = "", **own: Any) -> Options:
    return amount_axis(title, axisLabel={"color": MUTED, ":formatter": _PERCENT}, **own)


def line(values: Sequence[Any], colour: str, **own: Any) -> Options:
    """A line through ``values``; None leaves a gap."""
    return {
        "type": "line",
        "data": list(values),
        # a dot for each day is noise once there are many of them
        "symbol": "circle" if len(values) <= _DOTS_AT_MOST else "none",
        "showAllSymbol": True,
        "symbolSize": 6,
        "lineStyle": {"color": colour, "width": 2},
        "itemStyle": {"color": colour},
        "emphasis": {"disabled": True},
        **own,
    }


def band(
    lows: Sequence[float | None], highs: Sequence[float | None], colour: str, **own: Any
) -> list[Options]:
    """The area between two lines: one without ink, and the distance to the other stacked on it."""
    widths = [
        None if low is None or high is None else high - low for low, high in zip(lows, highs, strict=True)
    ]
    quiet: Options = {
        "type": "line",
        "stack": f"band of {colour}",
        "stackStrategy": "all",
        "symbol": "none",
        "lineStyle": {"opacity": 0},
        "emphasis": {"disabled": True},
        "silent": True,
        **own,
    }
    filled = {**quiet, "data": widths, "areaStyle": {"color": colour, "opacity": 0.16}}
    return [{**quiet, "data": list(lows)}, filled]


def bars(values: Sequence[Any], colour: str, **own: Any) -> Options:
    return {
        "type": "bar",
        "data": list(values),
        "barMaxWidth": 34,
        "itemStyle": {"color": colour, "borderRadius": [3, 3, 0, 0]},
        "emphasis": {"disabled": True},
        **own,
    }
