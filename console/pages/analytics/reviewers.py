"""Sections on the reviewers: whether they agree, and how long a decision takes them."""

from __future__ import annotations

from console.pages.analytics import interval_rows
from console.pages.analytics.interval_rows import Row
from console.pages.analytics.section import View, nothing, section
from console.pages.analytics.words import DASH, percent, seconds, signed
from console.services.analytics.pace import PAUSE_S, Pace, Pair
from console.services.analytics.report import REVIEWS_AT_MOST, SHARED_AT_MOST
from console.ui import wording

_SHOWN = 12


def draw(view: View) -> None:
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
        interval_rows.draw(
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
        interval_rows.draw(rows, tone="accent", scale=(0, top), ends=("0 s", seconds(top)))
        more_than(len(timed), "reviewer")


def _pace_row(pace: Pace) -> Row:
    median, p90 = pace.median_s or 0.0, pace.p90_s or 0.0
    detail = f"90 % within {seconds(p90)}, {pace.timed:,} timed of {pace.decisions:,}"
    return Row(pace.reviewer, median, median, p90, seconds(median), detail)


def more_than(count: int, what: str) -> None:
    if count > _SHOWN:
        nothing(f"{wording.plural(count - _SHOWN, f'more {what}', f'more {what}s')} in the table.")
