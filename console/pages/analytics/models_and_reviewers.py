"""Sections on who works: the models' times and champions, the reviewers' agreement and pace."""

from __future__ import annotations

from console.pages.analytics import chart_style, charts, shares
from console.pages.analytics.section import View, nothing, section
from console.pages.analytics.shares import DASH, Row, percent, seconds, signed
from console.services.analytics.pace import PAUSE_S, Pace, Pair, Spent
from console.services.analytics.periods import begun_within
from console.services.analytics.report import REVIEWS_AT_MOST, SHARED_AT_MOST
from console.texts import wording


def draw_models(view: View) -> None:
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
        shares.draw_rows(rows, tone="accent", scale=(0, top), ends=ends)


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


_SHOWN = 12


def draw_reviewers(view: View) -> None:
    _agreement(view)
    _paces(view)


def _agreement(view: View) -> None:
    pairs, title = view.report.pairs, "Agreement between reviewers"
    if not pairs:
        with section(view, title, "No item was decided by two people in this range."):
            nothing("When a second reviewer decides an item again, this compares what both said.")
        return
    note = (
        "Cohen's kappa: 1 is full agreement, 0 what chance would give. Whiskers are exact 95 % intervals of "
        "the agreement, chance held fixed. The second reviewer may have seen the first decision, so true "
        f"agreement may be lower. At most {SHARED_AT_MOST:,} items are read, the newest."
    )
    with section(view, title, pair_words(pairs[0]), table="agreement", note=note):
        shares.draw_rows(
            [_pair_row(pair) for pair in pairs[:_SHOWN]], tone="accent", scale=(-1, 1), ends=("−1", "1")
        )
        more_than(len(pairs), "pair")


def pair_words(pair: Pair) -> str:
    """``mia and sam agreed on 11 of 14 items (79 %); chance would give 52 %. Kappa 0.56.``"""
    found = pair.agreement
    said = f"{pair.first} and {pair.second} agreed on {found.same:,} of {wording.plural(found.items, 'item')}"
    if found.kappa is None:
        return f"{said}, always with the same one decision: that tells nothing about kappa."
    share = percent(found.same / found.items)
    kappa = f"Kappa {signed(found.kappa)}, 95 %: {signed(found.low)} to {signed(found.high)}."
    return f"{said} ({share}); chance would give {percent(found.chance)}. {kappa}"


def _pair_row(pair: Pair) -> Row:
    found = pair.agreement
    words = DASH if found.kappa is None else f"κ {signed(found.kappa)}"
    detail = f"same on {found.same:,} of {found.items:,}"
    return Row(
        f"{pair.first} and {pair.second}", found.kappa, found.low or 0, found.high or 0, words, detail, 0.0
    )


def _paces(view: View) -> None:
    paces, title = view.report.paces, "Time per decision"
    timed = [pace for pace in paces if pace.median_s is not None and pace.p90_s is not None]
    if not timed:
        with section(view, title, "There are no two decisions in a row to measure between."):
            nothing("It takes a reviewer who decides several items within five minutes of each other.")
        return
    note = (
        "From one entry in the review history to the same person's next decision, if that comes within "
        f"{PAUSE_S / 60:.0f} minutes; the first decision after a pause has no time. Days are those of the "
        "decision. Bars end at the median, whiskers at the 90th percentile. At most "
        f"{REVIEWS_AT_MOST:,} reviews are read, the newest."
    )
    fastest = min(timed, key=lambda pace: pace.median_s or 0)
    reading = (
        f"{wording.plural(sum(p.timed for p in timed), 'decision')} timed. Quickest in the middle: "
        f"{fastest.reviewer} with {seconds(fastest.median_s or 0)}."
        if len(timed) > 1
        else f"{fastest.reviewer}: half of {wording.plural(fastest.timed, 'decision')} took less than "
        f"{seconds(fastest.median_s or 0)}, nine in ten less than {seconds(fastest.p90_s or 0)}."
    )
    with section(view, title, reading, table="decision-times", note=note):
        top = max(pace.p90_s or 0 for pace in timed[:_SHOWN]) or 1.0
        rows = [_pace_row(pace) for pace in timed[:_SHOWN]]
        shares.draw_rows(rows, tone="accent", scale=(0, top), ends=("0 s", seconds(top)))
        more_than(len(timed), "reviewer")


def _pace_row(pace: Pace) -> Row:
    median, p90 = pace.median_s or 0.0, pace.p90_s or 0.0
    detail = f"90 % within {seconds(p90)}, {pace.timed:,} timed of {pace.decisions:,}"
    return Row(pace.reviewer, median, median, p90, seconds(median), detail)


def more_than(count: int, what: str) -> None:
    if count > _SHOWN:
        nothing(f"{wording.plural(count - _SHOWN, f'more {what}', f'more {what}s')} in the table.")
