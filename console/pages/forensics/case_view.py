"""One past inspection under the lens: its explanations, report, then and now, and history."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nicegui import ui

from anomalyos.accounts.tables import Role
from anomalyos.explain import repository as explanations
from anomalyos.explain.evidence import Evidence
from anomalyos.inspection.tables import Verdict
from console.components import score_bar
from console.components.explanation.evidence import (
    draw_beside,
    draw_causes,
    draw_cost,
    draw_depth,
    draw_missing,
    draw_notes,
    draw_similar,
)
from console.components.explanation.pictures import MapRow, draw_trace, draw_waterfall
from console.components.explanation.report import ReportView
from console.components.explanation.words import part_name
from console.components.visitor import reauthorize
from console.container import Services
from console.pages.forensics.rerun_view import RerunView
from console.services.blocking import run_blocking
from console.services.explain_jobs import HEAVY, QUICK, PartState
from console.services.past_events import Event, timeline
from console.services.views import Detail
from console.texts import links, wording
from console.ui import kit
from console.ui.kit import Text, box
from console.ui.theme import Frame


def draw_timeline(events: Sequence[Event]) -> None:
    with box("aos-timeline", "ol").mark("timeline"):
        for event in events:
            with box(f"aos-timeline-event tone-{event.tone}", "li"):
                kit.icon(event.icon)
                with box("what"):
                    if event.address:
                        kit.link(event.text, event.address, "aos-textlink")
                    else:
                        Text(event.text)
                    if event.note:
                        Text(event.note, "div", "note")
                Text(wording.moment(event.when), "div", "when")


_EVERY = 0.25
"""Seconds between two looks at what is being computed."""
_METHODS = {
    "gradcam_pp": "cams",
    "hirescam": "cams",
    "gradcam_pp_class": "cams",
    "depth": "depth",
    "shap": "shap",
}
_ASKED_FOR = {
    "cams": "Which pixels the score hangs on, by two gradient methods.",
    "depth": "Whether the place lies nearer or farther than what is around it.",
    "shap": "How much each of five readable figures moved the score.",
}


class CaseView:
    """The page of one inspection. What is quick comes by itself; the rest by a click, and is then kept."""

    def __init__(self, services: Services, frame: Frame, detail: Detail) -> None:
        self._services = services
        self._frame = frame
        self._detail = detail
        self._explaining = services.explanations
        self._sections: dict[str, ui.element] = {}
        self._drawn: dict[str, PartState] = {}
        self._maps: MapRow | None = None

    async def load(self) -> None:
        detail = self._detail
        kept = await run_blocking(self._kept_parts)
        events = await run_blocking(self._timeline)
        self._draw_head()
        with box("aos-scroll"), box("aos-page aos-case"):
            if detail.card.verdict == Verdict.REJECTED:
                kit.notice(detail.sentence, "rejected", "block")
            else:
                self._draw_top()
                self._draw_parts()
                report = self._draw_report()
                self._draw_rerun()
            with self._section("History", "history wide"):
                self._history = box()
        self._draw_history(events)
        if detail.card.verdict == Verdict.REJECTED:
            return
        await report.load()
        self._job = self._explaining.ask(detail.card.id, (*QUICK, *kept))
        ui.timer(_EVERY, self._tick)

    def _kept_parts(self) -> list[str]:
        """Slow parts that were computed before and so are there at once.

        A newer version of a method computes its part again; that is what a person would want to see.
        """
        with self._services.store.session(read_only=True) as session:
            rows = explanations.of_inspection(session, self._detail.card.id)
        return sorted({_METHODS[row.method] for row in rows if row.method in _METHODS})

    def _timeline(self) -> list[Event]:
        with self._services.store.session(read_only=True) as session:
            return timeline(session, self._detail.card.id)

    # drawing ---------------------------------------------------------------------------------

    def _draw_head(self) -> None:
        detail = self._detail
        with box("aos-head"):
            kit.link("Search", "/forensics", "aos-button small quiet", "arrow_back").mark("to-search")
            with box("aos-case-title"):
                Text(
                    f"{wording.product(detail.card.category)}, number {detail.card.id}",
                    "h1",
                    "aos-night-title",
                )
                when = wording.moment(detail.created_at)
                Text(f"{detail.batch_title} · {when} · {detail.card.source}", "div", "aos-muted aos-small")
            box("space")
            kit.link(
                "Open in the Inspector", links.inspection(detail.card.id), "aos-button small", "open_in_new"
            )
            if detail.card.verdict not in (Verdict.REJECTED, Verdict.UNKNOWN_CATEGORY):
                kit.button(
                    "Explain everything",
                    lambda: self._explain(HEAVY),
                    icon_name="auto_awesome",
                    classes="small primary",
                ).mark("explain-all")

    def _draw_top(self) -> None:
        detail = self._detail
        with box("aos-case-top"):
            with box("aos-case-verdict"):
                with box("aos-verdict-row"):
                    kit.badge(wording.verdict_label(detail.card.verdict))
                    if detail.card.decision:
                        kit.badge(wording.decision_label(detail.card.decision))
                    if detail.card.synthetic:
                        kit.synthetic_badge()
                Text(detail.sentence, "p", "aos-sentence")
                score_bar.draw(detail)
            with box("aos-progress-parts").props("role=status aria-label='What has been computed'") as parts:
                self._progress = parts
        with self._section("Where the score comes from", "maps wide"):
            self._maps = MapRow(detail)
            self._maps.show(None)
            self._sections["cams"] = box()

    def _draw_parts(self) -> None:
        titles = {
            "trace": "The flagged places beside the nearest normal parts",
            "similar": "Seen before",
            "shap": "What moved the score",
            "causes": "What may have caused it",
            "depth": "Depth",
            "notes": "What people wrote",
        }
        for part, title in titles.items():
            with self._section(title, f"{part} wide" if part in ("trace", "similar") else part):
                self._sections[part] = box()

    def _draw_report(self) -> ReportView:
        with self._section("Report", "report wide"):
            return ReportView(self._services, self._frame, self._detail.card.id, heading="h3")

    def _draw_rerun(self) -> None:
        with self._section("Then and now", "rerun wide"):
            RerunView(self._services, self._frame, self._detail)

    def _section(self, title: str, name: str = "") -> ui.element:
        element = box(f"aos-card aos-case-section {name}", "section", aria_label=title)
        with element:
            Text(title, "h2", "aos-case-heading")
        return element

    def _draw_history(self, events: list[Event]) -> None:
        with kit.redrawn(self._history):
            draw_timeline(events)

    # computing -------------------------------------------------------------------------------

    async def _explain(self, parts: tuple[str, ...]) -> None:
        """Anybody who may look may have it explained: it changes nothing, and one at a time is computed."""
        if await reauthorize(self._services, self._frame, Role.VIEWER) is not None:
            self._job = self._explaining.ask(self._detail.card.id, parts)

    async def _tick(self) -> None:
        """Draw what has changed since the last look."""
        job = self._job
        states, evidence = job.states, job.evidence
        if states != self._drawn:
            before, self._drawn = self._drawn, states
            self._draw_progress(states)
            for part in (*QUICK, *HEAVY):
                if states.get(part) != before.get(part) or not before:
                    self._draw_part(part, states.get(part), evidence)
            if job.finished and evidence is not None:
                self._draw_notes(evidence)
                self._draw_history(await run_blocking(self._timeline))

    def _draw_progress(self, states: dict[str, PartState]) -> None:
        with kit.redrawn(self._progress):
            for part in (*QUICK, *HEAVY):
                _draw_state(part, states.get(part))

    def _draw_part(self, part: str, state: PartState | None, evidence: Evidence | None) -> None:
        place = self._sections.get(part)
        if place is None or (state is not None and state.status == "running" and state.share > 0):
            return
        with kit.redrawn(place):
            if state is None:
                self._draw_offer(part)
            elif state.status in ("waiting", "running"):
                box("aos-waiting-tile").props("aria-hidden=true")
            elif state.status == "missing" or evidence is None:
                draw_missing(state.why)
            else:
                self._show(part, evidence)
                draw_cost(part, evidence.cost_ms)
        if part == "cams" and self._maps is not None:
            self._maps.show(evidence)

    def _draw_offer(self, part: str) -> None:
        with box("aos-offer"):
            Text(_ASKED_FOR.get(part, ""), classes="aos-muted")
            kit.button(
                f"Compute {part_name(part).lower()}",
                lambda: self._explain((part,)),
                icon_name="play_arrow",
                classes="small",
            ).mark(f"compute-{part}")

    def _show(self, part: str, evidence: Evidence) -> None:
        show: dict[str, Callable[[Evidence], None]] = {
            "similar": self._show_similar,
            "causes": lambda found: draw_causes(found.causes),
            "trace": lambda found: draw_trace(self._detail.card.id, found.trace),
            "depth": draw_depth,
            "shap": lambda found: draw_waterfall(found.shap) if found.shap is not None else None,
            "cams": lambda found: None,
        }
        show[part](evidence)

    def _show_similar(self, evidence: Evidence) -> None:
        with box("aos-beside"):
            draw_beside(self._detail.card.id, self._detail.card.category)
            draw_similar(evidence.similar)

    def _draw_notes(self, evidence: Evidence) -> None:
        place = self._sections["notes"]
        with kit.redrawn(place):
            if evidence.notes:
                draw_notes(evidence.notes)
            else:
                Text("Nobody has left a note about this part or the cases beside it.", "p", "aos-muted")


_ICONS = {"done": "check_circle", "missing": "info", "waiting": "schedule", "running": "sync"}
_TONES = {"done": "normal", "missing": "unsure", "waiting": "rejected", "running": "accent"}


def _draw_state(part: str, state: PartState | None) -> None:
    status = state.status if state is not None else "none"
    with box(f"aos-part tone-{_TONES.get(status, 'rejected')}").mark(f"state-{part}"):
        kit.icon(_ICONS.get(status, "radio_button_unchecked"))
        Text(part_name(part), classes="name")
        Text(_state_words(state), classes="aos-muted")
        if state is not None and status == "running":
            with box("aos-progress").props("aria-hidden=true"):
                box().style(f"width: {100 * max(0.04, min(1.0, state.share)):.0f}%")


def _state_words(state: PartState | None) -> str:
    if state is None:
        return "on request"
    if state.status == "running":
        return f"{state.share:.0%}" if state.share > 0 else "computing"
    return {"done": "ready", "missing": "not to be had", "waiting": "waiting"}[state.status]
