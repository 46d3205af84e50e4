"""Data checks: of one night, beside what was rejected in it, and of the images that are learned from."""

from __future__ import annotations

from urllib.parse import urlencode

from anomalyos.accounts.tables import Role
from anomalyos.core.errors import NotFound
from anomalyos.quality.tables import DataCheck, QuarantinedImage, QuarantineState
from anomalyos.quality.words import STATES
from console.components.night_head import CHECKS, Head
from console.components.visitor import Visitor
from console.container import Services
from console.pages.checks.check import LABELS, Deciding, draw_check
from console.services.blocking import run_blocking
from console.services.checks import PAGE, CheckView, ProductChecks
from console.services.nights import EVERY_NIGHT
from console.texts import links, wording
from console.texts.wording import Label
from console.ui import kit
from console.ui.kit import Text, box
from console.ui.theme import Frame, frame

NIGHT, LEARNING = "/checks", "/checks/learning"


async def night_checks(services: Services, visitor: Visitor, batch: str = "") -> None:
    asked = batch if batch != EVERY_NIGHT else ""
    night = await run_blocking(services.inspections.night, asked)
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
            _draw_night(services, shell, found)


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


def _draw_night(services: Services, shell: Frame, found: list[CheckView]) -> None:
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
                    kit.link("Details", links.inspection(number), "aos-button small quiet")
    hidden = len(view.row.findings) - len(view.findings)
    if hidden > 0:
        Text(f"and {hidden} more on the whole page.", "p", "aos-muted aos-small")


STATE_LABELS = {
    QuarantineState.HELD: Label(STATES[QuarantineState.HELD], "inventory_2", "rejected"),
    QuarantineState.KEPT_OUT: Label(STATES[QuarantineState.KEPT_OUT], "block", "defect"),
    QuarantineState.RELEASED: Label(STATES[QuarantineState.RELEASED], "undo", "normal"),
}


async def learning_checks(services: Services, visitor: Visitor, product: str = "", offset: int = 0) -> None:
    night = await run_blocking(services.inspections.night, "")
    products = await run_blocking(services.checks.products)
    with frame("Data checks", visitor.person, mode="/", open_items=visitor.open_items) as shell:
        await Head(services, CHECKS).show(night)
        with box("aos-page aos-checks"):
            draw_ways(LEARNING)
            if not products:
                kit.empty_state(
                    "fact_check",
                    "No data check yet",
                    "A rebuild checks the images of its product before it learns from them.",
                )
                return
            name = product or _first(products)
            with box("aos-split"):
                _draw_products(products, name)
                try:
                    view = await run_blocking(services.checks.product, name, max(0, offset))
                except NotFound as error:
                    kit.empty_state("search_off", "No data check of this product", error.hint)
                    return
                with box("aos-product-side"):
                    _draw_product(services, shell, view)


def _first(products: list[tuple[str, DataCheck, int]]) -> str:
    """The product that most likely brought somebody here: one of which something is out."""
    return next((name for name, _, out in products if out), products[0][0])


def _address(name: str, offset: int = 0) -> str:
    return f"{LEARNING}?" + urlencode({"product": name, **({"offset": offset} if offset else {})})


def _draw_products(products: list[tuple[str, DataCheck, int]], active: str) -> None:
    with box("aos-products", "nav", aria_label="Products"):
        for name, check, out in products:
            with box(
                "aos-product-link" + (" active" if name == active else ""),
                "a",
                href=_address(name),
                aria_current="page" if name == active else None,
            ):
                Text(wording.product(name), "div", "aos-item-name")
                Text(f"{out} set aside" if out else LABELS[check.outcome].word, "div", "aos-item-sub")  # type: ignore[index]


def _draw_product(services: Services, shell: Frame, view: ProductChecks) -> None:
    deciding = Deciding(services, shell)
    engineer = shell.person.may(Role.ENGINEER)
    draw_check(view.check, wording.product(view.name), deciding.ask_to_go_on if engineer else None)
    if not view.images:
        kit.empty_state(
            "verified", "Nothing is set aside", "Every training image of this product is used.", tone="normal"
        )
        return
    with box("aos-card aos-checked-card"):
        Text("Set aside, and decided about", "h3", "aos-label")
        with box("aos-checked", "ul"):
            for image in view.images:
                _draw_image(image, deciding if engineer else None)
        if not engineer:
            Text("An engineer can release an image or keep it out.", "p", "aos-muted aos-small")
    kit.pager(view.offset, len(view.images), view.total, PAGE, lambda start: _address(view.name, start))


def _draw_image(image: QuarantinedImage, deciding: Deciding | None) -> None:
    state = QuarantineState(image.state)
    with box("aos-checked-row", "li").mark(f"image-{image.id}"):
        if "decodable" in image.rules:
            with box("aos-checked-none"):
                kit.icon("image_not_supported")
        else:
            kit.image(f"/media/quarantine/{image.id}", "", "aos-checked-picture", loading="lazy")
        with box():
            Text(image.file, "div", "name")
            Text(image.reason, "div", "why")
            with box("aos-checked-state"):
                kit.badge(STATE_LABELS[state])
                if image.decided_by:
                    when = wording.moment(image.decided_at) if image.decided_at else ""
                    said = f"by {image.decided_by}, {when}" + (f": {image.note}" if image.note else "")
                    Text(said, classes="aos-muted aos-small aos-wrap")
        with box("aos-checked-actions"):
            if deciding is not None:
                _draw_actions(image, state, deciding)


def _draw_actions(image: QuarantinedImage, state: QuarantineState, deciding: Deciding) -> None:
    if state != QuarantineState.RELEASED and "decodable" not in image.rules:
        kit.button("Release", lambda: deciding.ask_release(image), classes="small").mark(
            f"release-{image.id}"
        )
    if state != QuarantineState.KEPT_OUT:
        kit.button("Keep out", lambda: deciding.ask_keep_out(image), classes="small quiet").mark(
            f"keep-out-{image.id}"
        )
