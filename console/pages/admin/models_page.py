"""Models: products at the left, the versions of one of them at the right."""

from __future__ import annotations

from anomalyos.core.errors import NotFound
from anomalyos.models import promotions
from console.components.visitor import Visitor
from console.container import Services
from console.pages.admin import recipe_section
from console.pages.admin.tabs import admin_page
from console.pages.admin.versions import Moving, draw_versions
from console.services.blocking import run_blocking
from console.services.models import PAGE, Moved, ProductRow, ProductView, VersionView
from console.texts import links, wording
from console.ui import kit
from console.ui.kit import Text, box
from console.ui.theme import Frame


async def models(
    services: Services, visitor: Visitor, product: str = "", offset: int = 0, why: int = 0
) -> None:
    """``why`` is the number of the version whose recipe is explained: the one in use, where it says none."""
    with admin_page(visitor, "/admin/models") as shell:
        rows = await run_blocking(services.models.products, visitor.person)
        if not rows:
            kit.empty_state(
                "model_training",
                "No product yet",
                "The first one appears when images were imported and learned: anomalyos rebuild.",
            )
            return
        await ModelsView(services, shell, rows, product or _first(rows), offset, why).draw()


def _first(rows: list[ProductRow]) -> str:
    """The product that most likely brought somebody here: one with a version that waits."""
    return next((row.name for row in rows if row.waiting), rows[0].name)


class ModelsView:
    """Both sides, redrawn after every move of a pointer."""

    def __init__(
        self, services: Services, shell: Frame, rows: list[ProductRow], product: str, offset: int, why: int
    ) -> None:
        self._models = services.models
        self._shell = shell
        self._rows = rows
        self._product = product
        self._offset = offset
        self._why = why
        self._airflow = services.settings.airflow_url.rstrip("/")
        self._moving = Moving(services, shell, self._moved)
        with box("aos-split"):
            self._left = box("aos-products", "nav")
            self._left.props["aria-label"] = "Products"
            self._right = box("aos-product-side")

    async def draw(self) -> None:
        self._draw_products()
        try:
            view = await run_blocking(self._models.product, self._shell.person, self._product, self._offset)
        except NotFound as error:
            with kit.redrawn(self._right):
                kit.empty_state("search_off", "There is no such product", error.hint)
            return
        with kit.redrawn(self._right):
            self._draw_head(view)
            if view.versions:
                draw_versions(view, self._moving.ask_promotion)
                kit.pager(view.offset, len(view.versions), view.total, PAGE, self._address)
                recipe_section.draw(self._explained(view))
            else:
                kit.empty_state("model_training", "No version yet", "The first rebuild makes one.")
            self._draw_moves(view)
            self._draw_retraining()

    def _explained(self, view: ProductView) -> VersionView:
        """The version that was asked about, else the one in use, else the newest of this page."""
        asked = (version for version in view.versions if version.version == self._why)
        return next(asked, view.champion or view.versions[0])

    def _address(self, offset: int) -> str:
        return f"{links.models(self._product)}&offset={offset}"

    async def _moved(self, moved: Moved) -> None:
        self._rows = await run_blocking(self._models.products, self._shell.person)
        await self.draw()

    # left --------------------------------------------------------------------------------------

    def _draw_products(self) -> None:
        with kit.redrawn(self._left):
            for row in self._rows:
                active = row.name == self._product
                with box(
                    "aos-product-link" + (" active" if active else ""),
                    "a",
                    href=links.models(row.name),
                    aria_current="page" if active else None,
                ):
                    Text(wording.product(row.name), "div", "aos-item-name")
                    in_use = f"v{row.champion} in use" if row.champion else "nothing in use"
                    Text(f"{in_use}{_waiting_words(row)}", "div", "aos-item-sub")

    # right -------------------------------------------------------------------------------------

    def _draw_head(self, view: ProductView) -> None:
        with box("aos-product-head"):
            with box("grow"):
                with box("aos-product-name"):
                    Text(wording.product(view.name), "h2")
                    if view.synthetic:
                        kit.synthetic_badge()
                Text(_in_use_words(view), "p", "aos-muted").mark("in-use")
            kit.link("How it does", links.product(view.name), "aos-button", "monitoring")
            kit.button(
                f"Roll back to v{view.earlier.version}" if view.earlier else "Roll back",
                lambda: self._moving.ask_rollback(view),
                icon_name="history",
                disabled=view.earlier is None,
                tip="" if view.earlier else "There is no earlier version to return to.",
            ).mark("roll-back")

    def _draw_moves(self, view: ProductView) -> None:
        if not view.moves:
            return
        with box("aos-card aos-moves"):
            Text("Latest changes", "h3", "aos-label")
            with box("", "ol"):
                for move in view.moves:
                    back = move.kind == promotions.ROLLBACK
                    with box("", "li"):
                        kit.icon("history" if back else "upgrade")
                        with box():
                            word = "Rolled back to" if back else "Promoted"
                            Text(f"{word} v{move.version} by {move.actor}", "div")
                            Text(move.reason, "div", "aos-small aos-muted aos-wrap")
                        Text(wording.moment(move.when), classes="aos-small aos-muted aos-nowrap")

    def _draw_retraining(self) -> None:
        with box("aos-card aos-retraining"):
            with box("grow"):
                Text("Learn again", "h3")
                Text(
                    "A challenger is built and compared with the version in use on the same images. "
                    "It appears above, and inspects only when the gate lets it pass.",
                    "p",
                    "aos-muted aos-small",
                )
            kit.link("Retrain", links.retraining(self._product), "aos-button primary", "model_training").mark(
                "retrain"
            )
            kit.link(
                "Open Airflow",
                f"{self._airflow}/dags/retrain",
                "aos-button",
                "open_in_new",
                target="_blank",
                rel="noopener",
            )


def _waiting_words(row: ProductRow) -> str:
    if not row.waiting:
        return ""
    word = {True: "passed the gate", False: "was refused", None: "was not judged"}[row.newest_passed]
    return f" · v{row.newest} {word}"


def _in_use_words(view: ProductView) -> str:
    if view.champion is None:
        return "No version is in use, so nothing of this product is inspected."
    since = next((move for move in view.moves if move.version == view.champion.version), None)
    words = f"v{view.champion.version} is in use"
    return (
        f"{words} since {wording.moment(since.when)}, put there by {since.actor}." if since else f"{words}."
    )
