"""Why an inspection came out as it did, beside the picture."""

from __future__ import annotations

from nicegui import ui

from anomalyos.core.errors import AnomalyOSError
from anomalyos.explain.evidence import Evidence
from anomalyos.inspection.tables import Verdict
from console.components.explanation.evidence import draw_causes, draw_missing, draw_similar
from console.components.explanation.pictures import draw_nearest
from console.components.explanation.report import ReportView
from console.container import Services
from console.services.views import Detail
from console.texts import links
from console.ui import kit
from console.ui.kit import Text, box
from console.ui.theme import Frame

SETTLED = 0.4
"""Seconds an item is shown before anything is computed: whoever moves through the queue passes by."""
_SEEN, _NEAR = ("similar", "causes"), ("trace",)


def draw_why(services: Services, frame: Frame, detail: Detail) -> None:
    """Draw the reasons into the current slot; what takes long is asked for by a click."""
    if detail.card.verdict == Verdict.UNKNOWN_CATEGORY:
        return
    WhyPanel(services, frame, detail)


class WhyPanel:
    """Similar cases, causes and the nearest normal part, a moment after the item is shown."""

    def __init__(self, services: Services, frame: Frame, detail: Detail) -> None:
        self._explaining = services.explanations
        self._detail = detail
        with box("aos-section aos-why").mark("why") as self._section:
            with box("aos-why-head"):
                Text("Why, and seen before?", "h3")
                kit.link("Explain more", links.forensics(detail.card.id), "aos-more", "troubleshoot").mark(
                    "explain-more"
                )
            self._seen = box("aos-why-seen")
            self._near = box("aos-why-near")
        with kit.section("aos-section", "Report", "h3"):
            self._report = ReportView(services, frame, detail.card.id, heading="h4")
        self._draw_seen(self._remembered(_SEEN))
        self._draw_near(self._remembered(_NEAR))
        with self._section:
            ui.timer(SETTLED, self._fetch, once=True)

    def _remembered(self, parts: tuple[str, ...]) -> Evidence | None:
        return self._explaining.remembered(self._detail.card.id, self._detail.card.review_version, parts)

    async def _fetch(self) -> None:
        await self._report.load()
        for parts, draw in ((_SEEN, self._draw_seen), (_NEAR, self._draw_near)):
            before = self._remembered(parts)
            try:
                found = await self._explaining.quick(
                    self._detail.card.id, self._detail.card.review_version, parts, self._shown
                )
            except AnomalyOSError as error:
                if self._shown():
                    draw(None, str(error))
                continue
            if found is None or not self._shown():
                return
            if before is None or any(getattr(before, part) != getattr(found, part) for part in parts):
                draw(found)

    def _shown(self) -> bool:
        """Whether the item is still the one on the page; asked from worker threads too."""
        return not self._section.is_deleted

    def _draw_seen(self, evidence: Evidence | None, error: str = "") -> None:
        with kit.redrawn(self._seen):
            if error:
                draw_missing(error)
            elif evidence is None:
                _draw_waiting(3)
            else:
                self._draw_cases(evidence)

    def _draw_cases(self, evidence: Evidence) -> None:
        if evidence.similar:
            draw_similar(evidence.similar, most=3)
        elif "similar" in evidence.missing:
            draw_missing(evidence.missing["similar"])
        if evidence.causes:
            draw_causes(evidence.causes, most=2, brief=True)
        elif evidence.missing.get("causes", "") not in ("", evidence.missing.get("similar")):
            draw_missing(evidence.missing["causes"])

    def _draw_near(self, evidence: Evidence | None, error: str = "") -> None:
        with kit.redrawn(self._near):
            if error:
                draw_missing(error)
            elif evidence is None:
                _draw_waiting(2)
            elif evidence.trace:
                draw_nearest(self._detail.card.id, evidence.trace)
            elif "trace" in evidence.missing:
                draw_missing(evidence.missing["trace"])


def _draw_waiting(tiles: int) -> None:
    """Room for what comes, so that nothing jumps when it is there."""
    with box("aos-waiting").props("aria-hidden=true"):
        for _ in range(tiles):
            box("aos-waiting-tile")
