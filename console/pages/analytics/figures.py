"""The five figures at the top."""

from __future__ import annotations

from console.pages.analytics.words import STANDINGS, counted, interval, percent, promise
from console.services.analytics.quality_counts import QualityCounts
from console.services.analytics.report import Report
from console.ui import kit, wording
from console.ui.kit import Text, box
from console.ui.wording import Label


def draw(report: Report) -> None:
    total = report.total
    flags, found, alarms = total.flag_share(), total.defect_share(), total.alarm_share()
    standing = total.standing()
    days = wording.plural(report.days_with_images, "day")
    rejected = f", {total.rejected:,} could not be read" if total.rejected else ""
    with box("aos-an-figures"):
        _figure("images", "Images", f"{total.images:,}", f"on {days}{rejected}")
        _figure("flagged", "Flagged", percent(flags.value), f"{counted(flags)}, 95 %: {interval(flags)}")
        missed = f", {total.missed:,} of them not flagged" if total.missed else ""
        _figure(
            "defects", "Confirmed defects", f"{total.defects:,}", f"{percent(found.value)} of images{missed}"
        )
        _figure(
            "alarms",
            "False alarm rate",
            percent(alarms.value),
            _alarm_words(total),
            badge=STANDINGS[standing] if standing else None,
        )
        _figure(
            "open",
            "Still open",
            f"{total.open:,}",
            "flagged and not decided" if total.open else "everything flagged is decided",
            href="/" if total.open else "",
        )


def _alarm_words(total: QualityCounts) -> str:
    found = total.alarm_share()
    if not found.total:
        return "no part is known to be normal yet"
    promised = f"promised at most {promise(total.promised)}; " if total.promised is not None else ""
    return f"{promised}{counted(found)} normal parts, 95 %: {interval(found)}"


def _figure(
    name: str, label: str, value: str, words: str, *, badge: Label | None = None, href: str = ""
) -> None:
    with box("aos-card aos-an-figure-card").mark(f"figure-{name}"):
        Text(label, "div", "label")
        with box("value"):
            Text(value, classes="number")
            if badge is not None:
                kit.badge(badge)
            if href:
                kit.link("Queue", href, "aos-an-link")
        Text(words, "div", "words")
