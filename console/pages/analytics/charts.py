"""The charts over time and the Pareto chart, as ECharts options."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from anomalyos.core.statistics.proportion import Share, shares
from console.pages.analytics import chart_style as style
from console.pages.analytics.chart_style import Options
from console.pages.analytics.shares import counted, interval, percent, promise
from console.services.analytics.pace import Spent
from console.services.analytics.periods import ChampionPeriod, begun_within, bounds
from console.services.analytics.quality_counts import QualityCounts
from console.services.analytics.report import DefectCount, Report
from console.texts import wording

MARKS_AT_MOST = 8
_BARS_AT_MOST = 12


def flags_and_images(report: Report) -> Options:
    """Share of flagged images with its band above, images below, over the same days."""
    tallies = list(report.by_bin.values())
    found = shares([t.flagged for t in tallies], [t.inspected for t in tallies])
    tips = _tips(report, found, lambda t, s: f"{counted(s, 'image')} flagged: {percent(s.value)}")
    labels = _labels(report)
    images = [{"value": t.images, "tip": tip} for t, tip in zip(tallies, tips, strict=True)]
    return style.base(
        axisPointer={"link": [{"xAxisIndex": "all"}]},
        grid=[
            {"left": 52, "right": 14, "top": 28, "height": 168},
            {"left": 52, "right": 14, "top": 236, "height": 64},
        ],
        xAxis=[style.names_axis(labels, axisLabel={"show": False}), style.names_axis(labels, gridIndex=1)],
        yAxis=[
            style.percent_axis("Flagged"),
            style.amount_axis("Images", gridIndex=1, splitNumber=2, minInterval=1),
        ],
        series=[
            *_band(found, style.FLAGGED),
            style.line(_points(found, tips), style.FLAGGED),
            style.bars(images, style.STRONG_LINE, xAxisIndex=1, yAxisIndex=1),
        ],
    )


def defects(report: Report) -> Options:
    """Share of confirmed defects with its band."""
    tallies = list(report.by_bin.values())
    found = shares([t.defects for t in tallies], [t.inspected for t in tallies])
    tips = _tips(report, found, lambda t, s: _defect_words(t, s))
    return style.base(
        grid={"left": 52, "right": 14, "top": 28, "bottom": 26},
        xAxis=style.names_axis(_labels(report)),
        yAxis=style.percent_axis("Confirmed defects"),
        series=[*_band(found, style.DEFECT), style.line(_points(found, tips), style.DEFECT)],
    )


def _defect_words(tally: QualityCounts, found: Share) -> str:
    still = f", {tally.open:,} items still open" if tally.open else ""
    return f"{found.hits:,} defects in {found.total:,} images: {percent(found.value)}{still}"


def alarms(report: Report) -> Options:
    """Share of false alarms with its band, the promise, and a mark where a model was changed."""
    tallies = list(report.by_bin.values())
    found = shares([t.false_alarms for t in tallies], [t.believed_normal for t in tallies])
    tips = _tips(
        report,
        found,
        lambda t, s: f"{counted(s)} normal parts flagged: {percent(s.value)}\npromised {promise(t.promised)}",
    )
    main = style.line(_points(found, tips), style.ACCENT)
    marks = _marks(report)
    if marks:
        main["markLine"] = {"silent": True, "symbol": ["none", "none"], "data": marks}
    promised = [None if t.promised is None else t.promised for t in tallies]
    dashes = {"color": style.TEXT, "type": "dashed", "width": 1.5}
    promise_line = style.line(promised, style.TEXT, symbol="none", step="middle", lineStyle=dashes)
    return style.base(
        grid={"left": 52, "right": 14, "top": 44, "bottom": 26},
        xAxis=style.names_axis(_labels(report)),
        yAxis=style.percent_axis("False alarms"),
        series=[*_band(found, style.ACCENT), {**promise_line, "connectNulls": True}, main],
    )


def model_changes(report: Report) -> list[ChampionPeriod]:
    """Versions that became champion where the chart has days for it."""
    begun = begun_within(report.champion_periods, report.wanted.first, report.wanted.last)
    return [reign for reign in begun if report.bins.start_of(reign.since.date()) in report.bins.starts]


def _marks(report: Report) -> list[Options]:
    changes = model_changes(report)
    if len(changes) > MARKS_AT_MOST:
        return []
    grouped: dict[int, list[ChampionPeriod]] = {}
    for reign in changes:
        index = report.bins.starts.index(report.bins.start_of(reign.since.date()))
        grouped.setdefault(index, []).append(reign)
    return [
        {
            "xAxis": index,
            "lineStyle": {"color": style.MUTED, "type": "solid", "width": 1},
            "label": {
                "formatter": _mark_text(champion_periods, bool(report.wanted.category)),
                "color": style.MUTED,
                "fontSize": 11,
            },
        }
        for index, champion_periods in grouped.items()
    ]


def _mark_text(champion_periods: Sequence[ChampionPeriod], one_product: bool) -> str:
    if len(champion_periods) > 1 and not one_product:
        return f"{len(champion_periods)} new models"
    newest = champion_periods[-1]
    return f"v{newest.version}" if one_product else f"{wording.product(newest.category)} v{newest.version}"


def latency(report: Report) -> Options:
    """Median and 95th percentile of the whole inspection."""
    spent: list[Spent | None] = [report.latency.by_bin.get(start) for start in report.bins.starts]
    tips = [
        f"{report.bins.name(start)}\nmedian {wording.milliseconds(own.p50)}, "
        f"95 % within {wording.milliseconds(own.p95)}\n{wording.plural(own.images, 'image')} measured"
        if own
        else ""
        for start, own in zip(report.bins.starts, spent, strict=True)
    ]
    middle = [{"value": own.p50, "tip": tip} if own else None for own, tip in zip(spent, tips, strict=True)]
    high = [own.p95 if own else None for own in spent]
    dashes = {"color": style.ACCENT, "type": "dashed", "width": 1.5}
    return style.base(
        grid={"left": 52, "right": 14, "top": 28, "bottom": 26},
        xAxis=style.names_axis(_labels(report)),
        yAxis=style.amount_axis("Milliseconds"),
        series=[
            style.line(middle, style.ACCENT, name="median"),
            style.line(high, style.ACCENT, name="95 % within", lineStyle=dashes, symbolSize=4),
        ],
    )


def pareto(counts: Sequence[DefectCount]) -> Options:
    """Defect types by how often they were confirmed, with the line of their cumulative share."""
    shown = list(counts[:_BARS_AT_MOST])
    rest = sum(defect.count for defect in counts[_BARS_AT_MOST:])
    named = [(defect.name or "Not named", defect.count) for defect in shown]
    named += [(f"{len(counts) - len(shown)} others", rest)] if rest else []
    total, so_far = sum(count for _, count in named), 0
    tips, cumulative = [], []
    for name, count in named:
        so_far += count
        cumulative.append(so_far / total)
        tips.append(
            f"{name}\n{count:,} of {total:,}: {percent(count / total)}\nso far {percent(so_far / total)}"
        )
    heights: list[Options] = [
        {"value": count, "tip": tip} for (_, count), tip in zip(named, tips, strict=True)
    ]
    if rest:
        heights[-1]["itemStyle"] = {"color": style.STRONG_LINE}
    labels = {"color": style.MUTED, "interval": 0, "width": 84, "overflow": "truncate", "rotate": 32}
    plain = {"color": style.MUTED, "interval": 0, "width": 84, "overflow": "truncate"}
    return style.base(
        grid={"left": 44, "right": 52, "top": 28, "bottom": 26 if len(named) <= 5 else 64},
        xAxis=style.names_axis([name for name, _ in named], axisLabel=plain if len(named) <= 5 else labels),
        yAxis=[
            style.amount_axis("Confirmed", minInterval=1),
            style.percent_axis(max=1, interval=0.25, splitLine={"show": False}),
        ],
        series=[
            style.bars(heights, style.DEFECT),
            style.line(cumulative, style.MUTED, yAxisIndex=1, symbolSize=5),
        ],
    )


def champions(report: Report) -> Options:
    """One row a product: a stretch for each version while it was champion."""
    names = sorted({reign.category for reign in report.champion_periods}, key=wording.product, reverse=True)
    begin, end = bounds(report.wanted.first, min(report.wanted.last, report.wanted.today))
    end = max(end, begin + timedelta(days=1))
    series = []
    for place, reign in enumerate(report.champion_periods):
        row = names.index(reign.category)
        since, until = max(reign.since, begin), min(reign.until or end, end)
        series.append(
            {
                "type": "line",
                "symbol": "circle",
                "symbolSize": 11 if reign.since >= begin else 0,
                "showAllSymbol": True,
                "data": [
                    {"value": [since.isoformat(), row], "tip": reign_words(reign), "label": _version(reign)},
                    {"value": [until.isoformat(), row], "tip": reign_words(reign), "symbolSize": 0},
                ],
                "lineStyle": {"width": 9, "color": style.ACCENT, "opacity": 0.75 if place % 2 else 0.4},
                "itemStyle": {"color": style.ACCENT},
                "emphasis": {"disabled": True},
            }
        )
    options = style.base(
        grid={"left": 8, "right": 24, "top": 22, "bottom": 4, "containLabel": True},
        xAxis={
            "type": "time",
            "min": begin.isoformat(),
            "max": end.isoformat(),
            "axisLine": {"lineStyle": {"color": style.LINE}},
            "axisLabel": {"color": style.MUTED, "hideOverlap": True},
        },
        yAxis=style.names_axis([wording.product(name) for name in names]),
        series=series,
    )
    options["tooltip"]["trigger"] = "item"
    return options


def reign_words(reign: ChampionPeriod) -> str:
    until = f" until {wording.moment(reign.until)}" if reign.until else ", champion now"
    how = ", by rollback" if reign.rolled_back else ""
    return (
        f"{wording.product(reign.category)} v{reign.version}{how}: since {wording.moment(reign.since)}{until}"
    )


def _version(reign: ChampionPeriod) -> Options:
    text = f"v{reign.version}" + (" (back)" if reign.rolled_back else "")
    return {"show": True, "formatter": text, "position": [2, -16], "color": style.TEXT, "fontSize": 11}


def _labels(report: Report) -> list[str]:
    return [report.bins.label(start) for start in report.bins.starts]


def _tips(report: Report, found: Sequence[Share], words: Callable[[QualityCounts, Share], str]) -> list[str]:
    rows = zip(report.by_bin.items(), found, strict=True)
    return [
        f"{report.bins.name(start)}\n{words(tally, own)}\n95 % interval {interval(own)}" if own.total else ""
        for (start, tally), own in rows
    ]


def _points(found: Sequence[Share], tips: Sequence[str]) -> list[Options | None]:
    return [
        {"value": own.value, "tip": tip} if own.total else None for own, tip in zip(found, tips, strict=True)
    ]


def _band(found: Sequence[Share], colour: str) -> list[Options]:
    return style.band(
        [own.low if own.total else None for own in found],
        [own.high if own.total else None for own in found],
        colour,
    )
