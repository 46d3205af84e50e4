"""Sections on the promise: how many normal parts were flagged, against how many at most."""

from __future__ import annotations

from dataclasses import replace

from anomalyos.core.statistics.proportion import Standing
from console.pages.analytics import chart_style, charts
from console.pages.analytics.flow import draw_shares, is_long, share_row
from console.pages.analytics.interval_rows import Row
from console.pages.analytics.section import View, nothing, section
from console.pages.analytics.words import STANDINGS, counted, percent, promise
from console.services.analytics.quality_counts import QualityCounts
from console.ui import wording

HOW = (
    "False alarms are parts that were flagged and that a reviewer called a false alarm. They are held "
    "against the parts believed normal: those, and all that were not flagged and that nobody called a "
    "defect. This assumes that hardly any defect went by unflagged. Open and unsure items are in neither "
    "count; the promise counts as kept only if it would be kept with all of them as false alarms too."
)


def draw(view: View) -> None:
    _over_time(view)
    _per_product(view)


def sentence(tally: QualityCounts) -> str:
    """``12 of 240 normal parts were flagged: 5.0 %, promised at most 5 %.``"""
    found = tally.alarm_share()
    if not found.total:
        return "No part is known to be normal yet."
    said = f"{counted(found)} normal parts were flagged: {percent(found.value)}"
    return (
        f"{said}, promised at most {promise(tally.promised)}." if tally.promised is not None else f"{said}."
    )


def verdict_words(tally: QualityCounts) -> str:
    """What the interval says about the promise; empty when there is none to judge."""
    standing = tally.standing()
    if standing is None:
        return ""
    pending = f" {wording.plural(tally.unsettled, 'item')} still open or unsure." if tally.unsettled else ""
    words = {
        Standing.KEPT: "The promise is kept: even the upper end of the 95 % interval is within it.",
        Standing.NOT_SHOWN: "Too little is known yet to call the promise kept, or broken.",
        Standing.BROKEN: "The promise is broken: even the lower end of the 95 % interval is above it.",
    }
    return words[standing] + pending


def _over_time(view: View) -> None:
    total = view.report.total
    title = f"False alarms per {view.report.bins.step}"
    reading = " ".join(part for part in (sentence(total), verdict_words(total)) if part)
    changes = charts.model_changes(view.report)
    marks = "Upright marks: a new model. " if 0 < len(changes) <= charts.MARKS_AT_MOST else ""
    if len(changes) > charts.MARKS_AT_MOST:
        marks = f"{len(changes)} model changes are too many to mark here; choose one product to see its own. "
    note = f"{marks}Dashed: the promise. {HOW}"
    with section(view, title, reading, table="false-alarm-days", note=note):
        if total.believed_normal:
            chart_style.draw(charts.alarms(view.report), f"{title}. {reading}", 270)
        else:
            nothing("As soon as parts pass or are called false alarms, their share shows here.")


def _per_product(view: View) -> None:
    title = "False alarms per product"
    judged = {name: tally for name, tally in view.report.by_category.items() if tally.believed_normal}
    if not judged:
        with section(view, title, "No part is known to be normal yet."):
            nothing("Each product is held against its own promise here.")
        return
    broken = [wording.product(n) for n, tally in judged.items() if tally.standing() is Standing.BROKEN]
    kept = sum(tally.standing() is Standing.KEPT for tally in judged.values())
    reading = f"Promise kept for {kept} of {wording.plural(len(judged), 'product')}"
    reading += f", broken for {', '.join(broken)}." if broken else ", broken for none."
    note = "The mark is the promise. “Too few to tell”: too few parts are decided to show it kept or broken."
    rows = [_row(view, name, tally) for name, tally in judged.items()]
    with section(view, title, reading, table="false-alarms", note=note, wide=is_long(rows)):
        draw_shares(rows, "accent")


def _row(view: View, name: str, tally: QualityCounts) -> Row:
    standing = tally.standing()
    href = view.report.wanted.where("category", name).address()
    row = share_row(wording.product(name), tally.alarm_share(), href=href)
    detail = f"{row.detail}, promised {promise(tally.promised)}" if tally.promised is not None else row.detail
    badge = STANDINGS[standing] if standing else None
    return replace(row, detail=detail, tick=tally.promised, badge=badge)
