"""Data checks of what is learned from: products at the left, what is set aside of one at the right."""

from __future__ import annotations

from urllib.parse import urlencode

from anomalyos.accounts.tables import Role
from anomalyos.core.errors import NotFound
from anomalyos.quality.tables import DataCheck, QuarantinedImage, QuarantineState
from anomalyos.quality.words import STATES
from console.components.night_head import CHECKS, Head, find_night, latest_night
from console.components.visitor import Visitor
from console.container import Services
from console.pages.checks.card import LABELS, draw_check
from console.pages.checks.deciding import Deciding
from console.pages.checks.night import LEARNING, draw_ways
from console.services.blocking import run_blocking
from console.services.checks import PAGE, ProductChecks
from console.ui import kit, wording
from console.ui.kit import Text, box
from console.ui.theme import Frame, frame
from console.ui.wording import Label

STATE_LABELS = {
    QuarantineState.HELD: Label(STATES[QuarantineState.HELD], "inventory_2", "rejected"),
    QuarantineState.KEPT_OUT: Label(STATES[QuarantineState.KEPT_OUT], "block", "defect"),
    QuarantineState.RELEASED: Label(STATES[QuarantineState.RELEASED], "undo", "normal"),
}


async def learning_checks(services: Services, visitor: Visitor, product: str = "", offset: int = 0) -> None:
    night = await find_night(services, await run_blocking(latest_night, services))
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
