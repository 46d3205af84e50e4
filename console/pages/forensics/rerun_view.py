"""Then and now: the same photograph under the model that judged it and under today's champion."""

from __future__ import annotations

import base64

from nicegui import ui

from anomalyos.accounts.tables import Role
from anomalyos.core.errors import AnomalyOSError
from console.components.visitor import reauthorize
from console.container import Services
from console.services.rerunning import Rerun, Side, rerun
from console.services.views import Detail
from console.texts import wording
from console.ui import kit
from console.ui.kit import Text, box
from console.ui.theme import Frame


class RerunView:
    """The button and, after a click, both results side by side."""

    def __init__(self, services: Services, frame: Frame, detail: Detail) -> None:
        self._services = services
        self._frame = frame
        self._detail = detail
        self._busy = False
        allowed = frame.person.may(Role.REVIEWER)
        Text(
            "Today's champion looks at the same photograph. What was decided then stays as it is.",
            "p",
            "aos-muted",
        )
        kit.button(
            "Run again with today's champion",
            self._run,
            icon_name="replay",
            disabled=not allowed,
            tip=""
            if allowed
            else f"You are signed in as {frame.person.role.value}. Running again needs the role reviewer.",
        ).mark("rerun")
        self._place = box("aos-rerun").props("aria-live=polite")

    async def _run(self) -> None:
        person = await reauthorize(self._services, self._frame, Role.REVIEWER)
        if person is None or self._busy:
            return
        self._busy = True
        with kit.redrawn(self._place), box("aos-report-wait"):
            ui.spinner(size="18px")
            Text("Looking at it again…")
        try:
            found = await self._services.explanations.in_background(
                lambda: rerun(
                    self._services.inspections, self._services.pictures, person, self._detail.card.id
                )
            )
        except AnomalyOSError as error:
            self._show_error(str(error))
        else:
            self._show(found)
        finally:
            self._busy = False

    def _show_error(self, text: str) -> None:
        if self._place.is_deleted:
            return
        with kit.redrawn(self._place):
            kit.notice(text, "defect", "error")

    def _show(self, found: Rerun) -> None:
        if self._place.is_deleted:
            return
        with kit.redrawn(self._place):
            with box("aos-differences", "ul").mark("differences"):
                for sentence in found.differences:
                    Text(sentence, "li")
            with box("aos-then-now"):
                heat = f"/media/heatmap/{self._detail.card.id}" if self._detail.has_map else ""
                self._draw_side("Then", found.then, heat)
                data = base64.b64encode(found.heat_png).decode("ascii")
                self._draw_side("Now", found.now, f"data:image/png;base64,{data}" if data else "")

    def _draw_side(self, title: str, side: Side, heat: str) -> None:
        detail = self._detail
        with box("aos-side"):
            with box("aos-side-head"):
                Text(title, "h3")
                kit.badge(wording.verdict_label(side.verdict))
            ratio = detail.width / max(1, detail.height)
            with box("aos-sync-frame").style(f"--ratio: {ratio:.5f}"), box("aos-sync-layer"):
                kit.image(f"/media/image/{detail.card.id}", f"{title}: the photograph with its map", "photo")
                if heat:
                    kit.image(heat, "", "over")
            Text(side.sentence, "p")
            kit.facts(_facts(side))


def _facts(side: Side) -> list[tuple[str, str]]:
    facts = [("Model", side.model or "none")]
    if side.score is not None:
        facts.append(("Score", f"{wording.number(side.score)} of {wording.number(side.threshold)}"))
    facts.append(("Regions", str(side.regions)))
    return facts
