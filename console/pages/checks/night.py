"""Data checks of one night, beside what was rejected in it: what was odd, and that it was inspected."""

from __future__ import annotations

from fastapi import Request
from nicegui import ui

from anomalyos.accounts.tables import Role
from console.pages.checks.card import draw_check
from console.pages.checks.deciding import Deciding
from console.pages.inspector.head import CHECKS, Head
from console.pages.inspector.queue import find_night, latest_night
from console.security.visitor import visit
from console.services.blocking import run_blocking
from console.services.checks import CheckService, CheckView
from console.services.inspection import InspectionService
from console.services.queue import EVERY_NIGHT
from console.ui import kit, wording
from console.ui.kit import Text, box
from console.ui.theme import Frame, frame

NIGHT, LEARNING = "/checks", "/checks/learning"


def register(desk: InspectionService, checks: CheckService) -> None:
    @ui.page(NIGHT, response_timeout=30)
    async def night_checks(request: Request, batch: str = "") -> None:
        visitor = await visit(request, desk)
        asked = batch if batch != EVERY_NIGHT else ""
        night = await find_night(desk, asked or await run_blocking(latest_night, desk))
        with frame("Data checks", visitor.person, mode="/", open_items=visitor.open_items) as shell:
            await Head(desk, CHECKS).show(night)
            with box("aos-page aos-checks"):
                draw_ways(NIGHT)
                found = await run_blocking(checks.night, night.key) if night is not None else []
                if not found:
                    kit.empty_state(
                        "fact_check",
                        "No data check of this night" if night is not None else "No night yet",
                        "The nightly run checks its images before it inspects them.",
                    )
                    return
                _draw(desk, checks, shell, found)


def draw_ways(active: str) -> None:
    """Title, and the two things that are checked."""
    with box("aos-checks-head"):
        with box():
            Text("Data checks", "h2", "aos-title")
            Text(
                "Every photo is inspected, unless its product is stopped here."
                if active == NIGHT
                else "Images that are set aside are not learned from.",
                "p",
                "aos-subtitle",
            )
        with box("aos-segments", "nav", aria_label="What is checked"):
            kit.segment("This night", NIGHT, active=active == NIGHT)
            kit.segment("Training images", LEARNING, active=active == LEARNING)


def _draw(desk: InspectionService, checks: CheckService, shell: Frame, found: list[CheckView]) -> None:
    deciding = Deciding(desk, checks, shell)
    engineer = shell.person.may(Role.ENGINEER)
    for view in found:
        title = (
            wording.product(view.row.category) if view.row.category else "Photos that waited for the router"
        )
        with draw_check(view, title, deciding.ask_to_go_on if engineer else None):
            _draw_findings(view)


def _draw_findings(view: CheckView) -> None:
    if not view.findings:
        return
    with box("aos-checked", "ul"):
        for found in view.findings:
            number = view.inspections.get(found["file"])
            with box("aos-checked-row", "li"):
                if number is None:
                    with box("aos-checked-none"):
                        kit.icon("image_not_supported")
                else:
                    kit.image(f"/media/thumb/{number}", "", "aos-checked-picture", loading="lazy").mark(
                        "found-picture"
                    )
                with box():
                    Text(found["file"], "div", "name")
                    Text(found["reason"], "div", "why")
                if number is not None:
                    kit.link("Details", f"/inspection/{number}", "aos-button small quiet")
    hidden = len(view.row.findings) - len(view.findings)
    if hidden > 0:
        Text(f"and {hidden} more on the whole page.", "p", "aos-muted aos-small")
