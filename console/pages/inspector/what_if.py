"""What another threshold would have changed last week: asked for by opening it, tried with a slider."""

from __future__ import annotations

import math

from nicegui import events, ui

from anomalyos.accounts.tables import Role
from anomalyos.inspection import what_if
from anomalyos.inspection.what_if import Bin, Flips, Outcome, Week
from console.components.visitor import reauthorize
from console.container import Services
from console.services.blocking import run_blocking
from console.services.views import Detail
from console.texts import wording
from console.ui import kit
from console.ui.kit import Text, box
from console.ui.theme import Frame

WIDTH, HEIGHT, FLOOR = 300.0, 118.0, 96.0
_TOP = 20.0
"""Room above the bars for the names of the two sides."""


def week_svg(week: Week, threshold: float, own: float | None) -> str:
    """Bars of scores, what people called a defect hatched and a false alarm in outline.

    Heights grow with the square root of the counts: a few flagged parts would vanish beside
    thousands of normal ones. Only numbers go into the markup.

    Args:
        threshold: where the line stands.
        own: score of the part on the page, marked below the bars.
    """
    low, high = week.bins[0].low, week.bins[-1].high
    most = max((_count(part) for part in week.bins), default=1) or 1

    def place(score: float) -> float:
        return min(WIDTH - 1, max(1.0, WIDTH * (score - low) / ((high - low) or 1.0)))

    line = place(threshold)
    bars = "".join(_bar(part, index, most, len(week.bins)) for index, part in enumerate(week.bins))
    return (
        f'<svg viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" aria-label="{_summary(week, threshold)}">'
        '<defs><pattern id="aos-hatch" width="4" height="4" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><rect class="hatch-ground" width="4" height="4"/>'
        '<rect class="hatch-line" width="1.8" height="4"/></pattern></defs>'
        f'<rect class="side normal" x="0" y="{_TOP:g}" width="{line:.1f}" height="{FLOOR - _TOP:g}"/>'
        f'<rect class="side flagged" x="{line:.1f}" y="{_TOP:g}" width="{WIDTH - line:.1f}" '
        f'height="{FLOOR - _TOP:g}"/>{bars}'
        f'<line class="floor" x1="0" x2="{WIDTH:g}" y1="{FLOOR:g}" y2="{FLOOR:g}"/>'
        f'<line class="now" x1="{place(week.threshold):.1f}" x2="{place(week.threshold):.1f}" '
        f'y1="{_TOP:g}" y2="{FLOOR:g}"/>'
        f'<line class="limit" x1="{line:.1f}" x2="{line:.1f}" y1="{_TOP - 4:g}" y2="{FLOOR + 3:g}"/>'
        f"{_names(line)}{_own(place(own)) if own is not None else ''}{_limit_name(line, threshold)}</svg>"
        f"{_legend()}"
    )


def _count(part: Bin) -> int:
    return part.defects + part.false_alarms + part.others


def _bar(part: Bin, index: int, most: int, bins: int) -> str:
    total = _count(part)
    if not total:
        return ""
    x, width = WIDTH * index / bins, WIDTH / bins
    tall = max(3.0, (FLOOR - _TOP - 3) * math.sqrt(total / most))
    drawn, y = [], FLOOR
    for kind, count in (("defect", part.defects), ("alarm", part.false_alarms), ("other", part.others)):
        share = tall * count / total
        y -= share
        if count:
            drawn.append(
                f'<rect class="bar {kind}" x="{x + 0.6:.1f}" y="{y:.1f}" width="{width - 1.2:.1f}" '
                f'height="{share:.1f}"/>'
            )
    return "".join(drawn)


def _names(line: float) -> str:
    names = ""
    if line > 52:
        names += f'<text class="name" x="{line - 5:.1f}" y="12" text-anchor="end">normal</text>'
    if line < WIDTH - 52:
        names += f'<text class="name" x="{line + 5:.1f}" y="12">flagged</text>'
    return names


def _own(x: float) -> str:
    return f'<path class="own" d="M{x:.1f} {FLOOR + 1:g} l-5 8 h10 z"/>'


def _limit_name(line: float, threshold: float) -> str:
    anchor, x = ("end", WIDTH) if line > WIDTH / 2 else ("start", 0.0)
    return (
        f'<text class="value" x="{x:g}" y="{HEIGHT - 2:g}" text-anchor="{anchor}">'
        f"threshold {wording.number(threshold)}</text>"
    )


def _summary(week: Week, threshold: float) -> str:
    above = sum(like.count for like in week.likes if like.low > threshold)
    return (
        f"Scores of {week.total} parts from {wording.number(week.bins[0].low)} to "
        f"{wording.number(max(like.high for like in week.likes))}; {above} lie above a threshold of "
        f"{wording.number(threshold)}"
    )


def _legend() -> str:
    kinds = (("defect", "defect"), ("alarm", "false alarm"), ("other", "neither"))
    marks = "".join(
        f'<span><svg viewBox="0 0 10 10" aria-hidden="true"><rect class="bar {kind}" x="0.5" y="0.5" '
        f'width="9" height="9"/></svg>{word}</span>'
        for kind, word in kinds
    )
    own = (
        '<span><svg viewBox="0 0 10 10" aria-hidden="true"><path class="own" d="M5 1 l-5 8 h10 z"/></svg>'
        "this part</span>"
    )
    return f'<div class="legend">{marks}{own}</div>'


def draw_what_if(services: Services, frame: Frame, detail: Detail) -> None:
    """A closed disclosure that costs nothing until it is opened; nothing for what was not scored."""
    if detail.card.p_value is not None and detail.threshold is not None:
        WhatIf(services, frame, detail)


class WhatIf:
    """The disclosure of one inspection. It reads the week once, then answers from memory."""

    def __init__(self, services: Services, frame: Frame, detail: Detail) -> None:
        self._services = services
        self._frame = frame
        self._detail = detail
        self._week: Week | None = None
        self._stops: list[float] = []
        self._asked = False
        with box("aos-section aos-whatif", "details").mark("what-if") as self._disclosure:
            with box("", "summary"):
                kit.icon("tune")
                Text("What if the threshold moved?", "h3")
                kit.icon("expand_more", "turn")
            self._body = box("aos-whatif-body")
        self._disclosure.on("toggle", self._opened, js_handler="(event) => emit(event.target.open)")

    async def _opened(self, event: events.GenericEventArguments) -> None:
        if event.args is not True or self._asked:
            return
        if await reauthorize(self._services, self._frame, Role.VIEWER) is None:
            return
        self._asked = True
        with self._body:
            Text("Reading the last week …", "p", "aos-muted aos-small")
        week = await run_blocking(self._read)
        if self._body.is_deleted:
            return  # the queue has moved on
        with kit.redrawn(self._body):
            if week is None:
                Text("This image was not scored, so there is no threshold to move.", "p", "aos-muted")
            else:
                self._draw(week)

    def _read(self) -> Week | None:
        with self._services.store.session(read_only=True) as session:
            return what_if.week(session, self._detail.card.id)

    def _draw(self, week: Week) -> None:
        self._week, self._stops = week, week.stops()
        now = self._stops.index(week.alpha)
        with box("aos-whatif-promise"):
            Text("Flag at most", "label").props["for"] = f"what-if-{self._detail.card.id}"
            self._promise = Text("", "b").mark("what-if-promise")
            self._promise.props["data-what-if"] = "promise"
            Text("of normal parts")
        with box("aos-range", "input") as slider:
            # not "value": the page would put that back with every later message from the server
            slider.props(f"type=range min=0 max={len(self._stops) - 1} step=1 defaultValue={now}")
            slider.props["id"] = f"what-if-{self._detail.card.id}"
        slider.on(
            "input", self._moved, js_handler="(event) => emit(Number(event.target.value))", throttle=0.04
        )
        slider.mark("what-if-slider")
        self._slider = slider
        with box("aos-whatif-ends").props("aria-hidden=true"):
            Text("stricter, flags less")
            Text("looser, flags more")
        self._picture = ui.html("", sanitize=False).classes("aos-whatif-picture")
        self._words = box("aos-whatif-words").props("aria-live=polite")
        _draw_basis(week)
        self._try(week.alpha)

    def _moved(self, event: events.GenericEventArguments) -> None:
        place = event.args
        if self._week is not None and isinstance(place, int) and 0 <= place < len(self._stops):
            self._try(self._stops[place])

    def _try(self, alpha: float) -> None:
        week = self._week
        assert week is not None
        outcome = week.outcome(alpha)
        self._promise.set_text(percent(alpha))
        self._slider.props["aria-valuetext"] = f"at most {percent(alpha)} of normal parts"
        self._picture.set_content(week_svg(week, outcome.threshold, self._detail.score))
        with kit.redrawn(self._words):
            _draw_change(week, outcome)
            self._draw_this(outcome)
            _draw_how(week, alpha)

    def _draw_this(self, outcome: Outcome) -> None:
        was = self._detail.card.verdict
        p_value = self._detail.card.p_value
        assert p_value is not None
        label = wording.verdict_label("anomalous" if p_value <= outcome.alpha * (1 + 1e-12) else "normal")
        if label == wording.verdict_label(was):
            sentence = f"This part stays {label.word.lower()}."
        else:
            sentence = f"This part would become {label.word.lower()}."
        kit.icon_line(label.icon, sentence, f"aos-whatif-line tone-{label.tone}")


def percent(alpha: float) -> str:
    """``5 %``, ``1.64 %``."""
    return f"{100 * alpha:.3g} %"


def _draw_change(week: Week, outcome: Outcome) -> None:
    changed = outcome.to_normal.count + outcome.to_flagged.count
    if outcome.alpha == week.alpha:
        sentence = f"As it is now: {week.flagged:,} of {wording.plural(week.total, 'part')} flagged."
    elif not changed:
        sentence = f"None of {wording.plural(week.total, 'part')} would change."
    else:
        sentence = f"{changed:,} of {wording.plural(week.total, 'part')} would change."
    Text(sentence, "p", "aos-whatif-headline").mark("what-if-change")
    _draw_flips(outcome.to_normal, "Flagged → normal", "normal")
    _draw_flips(outcome.to_flagged, "Normal → flagged", "flagged")
    if outcome.to_normal.defects:
        missed = wording.plural(outcome.to_normal.defects, "part")
        kit.notice(f"{missed} that people called a defect would no longer be flagged.", "defect", "dangerous")


def _draw_flips(flips: Flips, title: str, tone: str) -> None:
    if not flips.count:
        return
    said = [
        *([f"{flips.defects:,} called a defect"] if flips.defects else []),
        *([f"{flips.false_alarms:,} called a false alarm"] if flips.false_alarms else []),
    ]
    open_ones = flips.count - flips.defects - flips.false_alarms
    if open_ones:
        said.append(f"{open_ones:,} without either")
    with box(f"aos-whatif-line tone-{tone}"):
        kit.icon("check_circle" if tone == "normal" else "flag")
        with box():
            Text(f"{title}: {flips.count:,}", "b")
            Text(" · ".join(said), "div", "aos-muted")


def _draw_how(week: Week, alpha: float) -> None:
    if alpha == week.alpha:
        return
    with box("aos-whatif-how"):
        Text("Only a trial: nothing is changed here. To change it, an engineer sets")
        Text(f"{week.category}:\n  alpha: {float(f'{alpha:.3g}'):g}", "code", "aos-code")
        Text("in include/categories.yaml and runs")
        Text(f"anomalyos rebuild --category {week.category}", "code", "aos-code")
        Text("A rebuild learns anew, so its figures may differ a little.")


def _draw_basis(week: Week) -> None:
    if week.current:
        span = f"in the last {what_if.DAYS} days"
    else:
        span = (
            f"in the {what_if.DAYS} days up to {wording.moment(week.until)}, when this version was last used"
        )
    product = wording.product(week.category)
    text = f"{wording.plural(week.total, 'part')} of {product} judged by model v{week.version} {span}. "
    least = f"This model can promise {percent(week.smallest_alpha)} at the strictest."
    Text(text + "Kept scores only: nothing is inspected again. " + least, "p", "aos-muted aos-small").mark(
        "what-if-basis"
    )
