"""What a retraining can be told: the fields of the DAG's form, in the console's words."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from console.ui import wording
from console.ui.kit import Text


class RetrainingForm:
    """Fields with their defaults; ``values`` reads them as the DAG names them."""

    def __init__(self, products: list[str], recipes: list[str], chosen: str = "") -> None:
        """``chosen`` is the product that is marked at first; unknown ones are not."""
        self._products = products
        self._recipes = recipes
        self._chosen = [chosen] if chosen in products else []

    def draw(self) -> None:
        Text("What to learn again", "h2", "aos-label")
        self._categories = ui.select(
            {name: wording.product(name) for name in self._products},
            label="Products",
            multiple=True,
            value=self._chosen,
        ).props("outlined use-chips hint='None chosen: all of them'")
        self._categories.mark("products")
        self._recipe = ui.select(
            {"": "As set for each product", **{name: name for name in self._recipes}},
            label="Recipe",
            value="",
        ).props("outlined")
        self._ratio = ui.number("Coreset ratio", min=0.001, max=1, step=0.01).props(
            "outlined hint='Share of patches kept. Empty: as set'"
        )
        self._alpha = ui.number("Alpha", min=0.001, max=0.5, step=0.01).props(
            "outlined hint='Share of false alarms. Empty: as set'"
        )
        self._reviewed = ui.switch("Learn what reviewers called false alarms", value=True)
        self._fine_tune = ui.switch("Learn names of defects from confirmed ones")
        self._trials = (
            ui.number("Trials", value=10, min=1, max=200, step=1, precision=0)
            .props("outlined hint='Settings of the classifier that are tried'")
            .bind_visibility_from(self._fine_tune, "value")
        )
        self._force = ui.switch("Build even when nothing has changed")
        self._dry_run = ui.switch("Dry run: only say what would be learned")
        self._ratio.mark("ratio")
        self._alpha.mark("alpha")
        self._fine_tune.mark("fine-tune")
        self._trials.mark("trials")
        self._force.mark("force")
        self._dry_run.mark("dry-run")

    def values(self) -> dict[str, Any]:
        return {
            "categories": list(self._categories.value or []),
            "recipe": self._recipe.value or None,
            "coreset_ratio": self._ratio.value,
            "alpha": self._alpha.value,
            "use_reviewed": bool(self._reviewed.value),
            "fine_tune": bool(self._fine_tune.value),
            "trials": int(self._trials.value or 10),
            "force": bool(self._force.value),
            "dry_run": bool(self._dry_run.value),
        }
