"""Sections on rates: images, flags and defects by day, product and line; false alarms against the promise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from anomalyos.core.statistics.proportion import Share, Standing
from console.pages.analytics import chart_style, charts, shares
from console.pages.analytics.section import View, nothing, section
from console.pages.analytics.shares import PERCENT, STANDINGS, Row, counted, interval, percent, promise
from console.services.analytics.filter import AnalyticsFilter
from console.services.analytics.quality_counts import QualityCounts
from console.texts import wording

BAND = "The band is the exact 95 % interval: where it is wide, there were few images."
_ROWS_A_COLUMN = 7
_FLAGS = "Flagged means anomalous or of an unknown product; files that could not be read are left out."


def draw_flags(view: View) -> None:
    _per_day(view)
    _defect_rate(view)
    _pareto(view)
    _products(view)
    _lines(view)


def _per_day(view: View) -> None:
    report = view.report
    total, found = report.total, report.total.flag_share()
    per_day = total.images / report.days_with_images
    title = f"Images and flag rate per {report.bins.step}"
    reading = (
        f"{counted(found, 'image')} were flagged: {percent(found.value)}. "
        f"{wording.plural(round(per_day), 'image')} on a day with images, on average."
    )
    with section(view, title, reading, table="days", note=f"{BAND} {_FLAGS}", wide=True):
        chart_style.draw(charts.flags_and_images(report), f"{title}. {reading}", 332)


def _defect_rate(view: View) -> None:
    found = view.report.total.defect_share()
    title = f"Confirmed defects per {view.report.bins.step}"
    reading = f"Reviewers confirmed {found.hits:,} defects in {wording.plural(found.total, 'image')}: "
    reading += f"{percent(found.value)} (95 %: {interval(found)})."
    still = view.report.total.open
    note = (
        f"{wording.plural(still, 'item is', 'items are')} still open: those days may rise. " if still else ""
    )
    note += f"{BAND} The figures are in the table of images and flag rate."
    with section(view, title, reading, note=note):
        chart_style.draw(charts.defects(view.report), f"{title}. {reading}", 250)


def _pareto(view: View) -> None:
    counts, title = view.report.defects, "Defect types"
    total = sum(defect.count for defect in counts)
    if not total:
        with section(view, title, "No defect has been confirmed in this range."):
            nothing("When reviewers confirm defects, their types line up here, the most frequent first.")
        return
    top = counts[0]
    reading = (
        f"{f'“{top.name}”' if top.name else 'Unnamed'} comes first with {top.count:,} of "
        f"{wording.plural(total, 'confirmed defect')}: {percent(top.count / total)}."
    )
    note = "Decisions as they stand, by the name the reviewers gave. The line adds the shares up."
    with section(view, title, reading, table="defect-types", note=note):
        chart_style.draw(charts.pareto(counts), f"{title}. {reading}", 250)


def _products(view: View) -> None:
    title, tallies = "Flag rate per product", view.report.by_category
    if not tallies:
        with section(view, title, "No image of a known product in this range."):
            nothing("Each product the models know gets a bar here.")
        return
    named = {name: (wording.product(name), tally) for name, tally in tallies.items()}
    rows = _rows(named, view.report.wanted, "category")
    note = "Bars are what was counted, whiskers the exact 95 % intervals."
    with section(view, title, _spread(rows), table="products", note=note, wide=is_long(rows)):
        draw_shares(rows, "flagged")


def _lines(view: View) -> None:
    title, tallies = "Flag rate per line", view.report.by_line
    if not tallies:
        with section(view, title, "The file names tell no line or camera."):
            nothing("Names that begin like cam2_ or line3- are told apart here.")
        return
    rows = _rows({line: (line, tally) for line, tally in tallies.items()}, view.report.wanted, "line")
    note = "The line is read from the file's name, such as cam2_0123.png; other images are left out."
    with section(view, title, _spread(rows), table="lines", note=note):
        draw_shares(rows, "flagged")


def _rows(named: Mapping[str, tuple[str, QualityCounts]], wanted: AnalyticsFilter, field: str) -> list[Row]:
    return [
        share_row(text, tally.flag_share(), href=wanted.where(field, key).address())
        for key, (text, tally) in named.items()
    ]


def share_row(name: str, found: Share, *, href: str = "") -> Row:
    words = percent(found.value) if found.total else "nothing yet"
    return Row(
        name, found.value, found.low, found.high, words, counted(found) if found.total else "", href=href
    )


def draw_shares(rows: list[Row], tone: str) -> None:
    """On a scale from zero to a round share above the longest whisker that means anything."""
    top = scale_top(rows)
    shares.draw_rows(
        rows, tone=tone, scale=(0, top), ends=(f"0{PERCENT}", percent(top)), columns=2 if is_long(rows) else 1
    )


def is_long(rows: list[Row]) -> bool:
    """Whether the rows take the whole width, in two columns."""
    return len(rows) > _ROWS_A_COLUMN


def scale_top(rows: list[Row]) -> float:
    longest = max([row.high for row in rows if row.value is not None] + [row.tick or 0 for row in rows])
    return next((step for step in (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75) if longest <= step), 1.0)


def _spread(rows: list[Row]) -> str:
    known = [row for row in rows if row.value is not None]
    if len(known) < 2:
        return "; ".join(f"{row.name}: {row.words}, {row.detail}" for row in known) + "."
    low, high = (pick(known, key=lambda row: row.value or 0) for pick in (min, max))
    apart = "the intervals do not overlap" if low.high < high.low else "their intervals overlap"
    return f"From {low.words} ({low.name}) to {high.words} ({high.name}); {apart}."


HOW = (
    "False alarms are parts that were flagged and that a reviewer called a false alarm. They are held "
    "against the parts believed normal: those, and all that were not flagged and that nobody called a "
    "defect. This assumes that hardly any defect went by unflagged. Open and unsure items are in neither "
    "count; the promise counts as kept only if it would be kept with all of them as false alarms too."
)


def draw_false_alarms(view: View) -> None:
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
    rows = [_alarm_row(view, name, tally) for name, tally in judged.items()]
    with section(view, title, reading, table="false-alarms", note=note, wide=is_long(rows)):
        draw_shares(rows, "accent")


def _alarm_row(view: View, name: str, tally: QualityCounts) -> Row:
    standing = tally.standing()
    href = view.report.wanted.where("category", name).address()
    row = share_row(wording.product(name), tally.alarm_share(), href=href)
    detail = f"{row.detail}, promised {promise(tally.promised)}" if tally.promised is not None else row.detail
    badge = STANDINGS[standing] if standing else None
    return replace(row, detail=detail, tick=tally.promised, badge=badge)
