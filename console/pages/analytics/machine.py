"""Sections on the models: how long they took, and which was champion when."""

from __future__ import annotations

from console.pages.analytics import chart_style, charts, interval_rows
from console.pages.analytics.interval_rows import Row
from console.pages.analytics.section import View, nothing, section
from console.services.analytics.pace import Spent
from console.services.analytics.periods import begun_within
from console.ui import wording


def draw(view: View) -> None:
    _latency(view)
    _stages(view)
    _champions(view)


def _latency(view: View) -> None:
    found, title = view.report.latency, f"Inspection time per {view.report.bins.step}"
    if found.total is None:
        with section(view, title, "No image was scored in this range."):
            nothing("The time each inspection took is kept with it and shows here.")
        return
    reading = (
        f"Half of the images took less than {wording.milliseconds(found.total.p50)}, "
        f"95 % less than {wording.milliseconds(found.total.p95)}."
    )
    note = f"Solid: the median; dashed: 95 % were quicker. {_sample(view)}"
    with section(view, title, reading, table="latency", note=note):
        chart_style.draw(charts.latency(view.report), f"{title}. {reading}", 250)


def _sample(view: View) -> str:
    found = view.report.latency
    if found.sampled < found.scored:
        return f"From {found.sampled:,} of {found.scored:,} images, spread evenly over the range."
    return f"From all {wording.plural(found.scored, 'scored image')}."


def _stages(view: View) -> None:
    stages, title = view.report.latency.by_stage, "Inspection time by stage"
    if not stages:
        return
    slowest, spent = max(stages.items(), key=lambda item: item[1].p50)
    reading = f"{wording.STAGES[slowest]} takes longest: {wording.milliseconds(spent.p50)} in the median."
    note = f"Bars end at the median, whiskers at the 95th percentile. {_sample(view)}"
    with section(view, title, reading, table="stages", note=note):
        top = max(own.p95 for own in stages.values()) or 1.0
        rows = [_stage_row(stage, own) for stage, own in stages.items()]
        ends = ("0 ms", wording.milliseconds(top))
        interval_rows.draw(rows, tone="accent", scale=(0, top), ends=ends)


def _stage_row(stage: str, spent: Spent) -> Row:
    detail = f"95 % within {wording.milliseconds(spent.p95)}"
    words = wording.milliseconds(spent.p50) if spent.p50 >= 1 else f"{spent.p50:.1f} ms"
    return Row(wording.STAGES[stage], spent.p50, spent.p50, spent.p95, words, detail)


def _champions(view: View) -> None:
    champion_periods, wanted, title = view.report.champion_periods, view.report.wanted, "Champion models"
    if not champion_periods:
        with section(view, title, "No model was champion in this range.", wide=True):
            nothing("Each promotion and each rollback shows here, product by product.")
        return
    begun = begun_within(champion_periods, wanted.first, wanted.last)
    products = wording.plural(len({reign.category for reign in champion_periods}), "product")
    reading = f"{wording.plural(len(begun), 'change')} of champion in this range, {products}."
    if begun:
        newest = max(begun, key=lambda reign: reign.since)
        reading += f" The newest: {charts.reign_words(newest)}."
    note = "A dot is where a version became champion; a stretch without one began before the range."
    with section(view, title, reading, table="champions", note=note, wide=True):
        rows = len({reign.category for reign in champion_periods})
        chart_style.draw(charts.champions(view.report), f"{title}. {reading}", 60 + 40 * rows)
