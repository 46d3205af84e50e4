"""Why a version has its recipe: the candidates over one scale, and what each saw of every kind of defect."""

from __future__ import annotations

import math

from console.services.models import VersionView
from console.services.recipe_choice import Compared, RecipeChoice
from console.texts import wording
from console.texts.wording import Label
from console.ui import kit
from console.ui.kit import Text, box

CHOSEN = Label("Chosen", "check_circle", "accent")
_STEP = 0.05
"""The scale begins at a multiple of this."""
_GUESSING = 0.5
"""AUROC of a recipe that sees nothing."""


def draw(version: VersionView) -> None:
    """The card on ``version``; links lead to it by the name ``why``."""
    with box("aos-card aos-why", "section", id="why", aria_label="Why this recipe").mark("why"):
        with box("aos-why-head"):
            Text("Why this recipe", "h3")
            Text(f"v{version.version}, {version.recipe}", classes="aos-small aos-muted")
        choice = version.choice
        if not choice.compared:
            kit.icon_line("edit_note", choice.reason, "aos-why-nothing", "p")
            return
        Text(choice.reason, "p", "aos-muted")
        with box("aos-why-pictures"):
            _draw_candidates(choice)
            _draw_kinds(choice)
        Text(note(choice), "p", "aos-small aos-muted")


def note(choice: RecipeChoice) -> str:
    """How the picture is read and what it rests on."""
    images = wording.plural(choice.pictures, "normal image")
    return (
        f"Measured on {images} of {wording.plural(choice.parts, 'part')} and on defects drawn into them; no "
        "real defect decided. A point's line is two standard errors of its distance to the best, the dashed "
        "mark: recipes whose line reaches the mark count as equally good, and the first of them is taken. "
        "It stays until a rebuild with the recipe auto chooses again."
    )


def scale_start(choice: RecipeChoice) -> float:
    """Left end of the scale, whose right end is 1: points on a scale from 0 would all lie at its end."""
    least = min(row.reach[0] for row in choice.compared)
    return max(0.0, math.floor(round(least / _STEP, 6)) * _STEP)


def _draw_candidates(choice: RecipeChoice) -> None:
    start = min(scale_start(choice), 1 - 2 * _STEP)
    with box():
        with box("aos-why-row scale").props("aria-hidden=true"), box("aos-why-scale"):
            Text(f"{start:.2f}")
            Text("AUROC on drawn defects")
            Text("1")
        with box("aos-why-rows", "ol", aria_label="AUROC on drawn defects, the preferred recipe first"):
            for row in choice.compared:
                _draw_candidate(row, choice.best, start)


def _draw_candidate(row: Compared, best: float, start: float) -> None:
    with box("aos-why-row" + (" chosen" if row.chosen else ""), "li").mark(f"candidate-{row.recipe}"):
        with box("name"):
            Text(row.recipe, "div", "aos-wrap")
            if row.chosen:
                kit.badge(CHOSEN)
        with box("aos-why-track").props("aria-hidden=true"):
            low, high = (_place(value, start) for value in row.reach)
            box("mark").style(f"left: {_place(best, start):.2f}%")
            if not row.best:
                box("reach").style(f"left: {low:.2f}%; width: {high - low:.2f}%")
            box("point").style(f"left: {_place(row.auroc, start):.2f}%")
        with box("figures"):
            Text(f"{row.auroc:.3f}", "div", "auroc")
            Text(distance(row), "div", "aos-small aos-muted")
            Text(f"{wording.milliseconds(row.ms)} an image", "div", "aos-small aos-muted")


def distance(row: Compared) -> str:
    """``the best``, or how far behind with the error of that."""
    return "the best" if row.best else f"{row.behind:.3f} ± {row.error:.3f} behind"


def _draw_kinds(choice: RecipeChoice) -> None:
    title = "AUROC by kind of drawn defect"
    scrolled = box("aos-why-scroll", aria_label=title).props("tabindex=0 role=region")
    with scrolled, box("aos-why-kinds", "table"):
        Text(title, "caption")
        with box("", "thead"), box("", "tr"):
            Text("", "td")
            for row in choice.compared:
                Text(row.recipe, "th", "chosen" if row.chosen else "").props("scope=col")
        with box("", "tbody"):
            for kind in choice.kinds:
                with box("", "tr"):
                    Text(wording.DRAWN_DEFECTS.get(kind, kind), "th").props("scope=row")
                    for row in choice.compared:
                        _draw_heat(row.kinds.get(kind))


def _draw_heat(value: float | None) -> None:
    if value is None:
        Text("–", "td")
        return
    # squared, because nearly all of it happens near 1
    heat = max(0.0, (value - _GUESSING) / (1 - _GUESSING)) ** 2
    Text(f"{value:.2f}", "td").style(f"--heat: {100 * heat:.0f}%")


def _place(value: float, start: float) -> float:
    """Percent from the left of the scale."""
    return 100 * min(1.0, max(0.0, (value - start) / (1 - start)))
