"""Data checks of one night, beside what was rejected in it: what was odd, and that it was inspected."""

from __future__ import annotations

from anomalyos.accounts.tables import Role
from console.components.night_head import CHECKS, Head, find_night, latest_night
from console.components.visitor import Visitor
from console.container import Services
from console.pages.checks.card import draw_check
from console.pages.checks.deciding import Deciding
from console.services.blocking import run_blocking
from console.services.checks import CheckView
from console.services.queue import EVERY_NIGHT
from console.ui import kit, wording
from console.ui.kit import Text, box
from console.ui.theme import Frame, frame

NIGHT, LEARNING = "/checks", "/checks/learning"


async def night_checks(services: Services, visitor: Visitor, batch: str = "") -> None:
    asked = batch if batch != EVERY_NIGHT else ""
    night = await find_night(services, asked or await run_blocking(latest_night, services))
    with frame("Data checks", visitor.person, mode="/", open_items=visitor.open_items) as shell:
        await Head(services, CHECKS).show(night)
        with box("aos-page aos-checks"):
            draw_ways(NIGHT)
            found = await run_blocking(services.checks.night, night.key) if night is not None else []
            if not found:
                kit.empty_state(
                    "fact_check",
                    "No data check of this night" if night is not None else "No night yet",
                    "The nightly run checks its images before it inspects them.",
                )
                return
            _draw(services, shell, found)


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


def _draw(services: Services, shell: Frame, found: list[CheckView]) -> None:
    deciding = Deciding(services, shell)
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
