"""The photo with its heat map and regions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import ui

from console import kit
from console.kit import Text, box
from console.views import Detail


def regions_svg(regions: list[dict[str, Any]], width: int, height: int) -> str:
    """Outlines of the regions, the strongest drawn through and the others dashed.

    Only numbers go into it: whatever the regions hold is turned into a float first.
    """
    parts = []
    for index, region in enumerate(regions):
        x, y, w, h = (float(region[name]) for name in ("x", "y", "width", "height"))
        shape = f'x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}" rx="{min(w, h) * 0.06:g}"'
        weaker = " weaker" if index else ""
        parts.append(f'<rect class="region-halo" {shape}/><rect class="region-line{weaker}" {shape}/>')
    return f'<svg viewBox="0 0 {int(width)} {int(height)}" preserveAspectRatio="none">{"".join(parts)}</svg>'


Step = Callable[[int], Awaitable[None]]


def draw_tools(detail: Detail, step: Step | None, position: str) -> None:
    """What is done to the view; ``step`` moves through a list by +1 or -1."""
    with box("aos-tools"):
        if detail.has_map:
            with kit.button(
                "Heat map",
                shortcut="H",
                classes="small quiet tool-heat",
                act="heat",
                tip="Hold H to peek below it",
            ):
                _on_off()
            with box("aos-heat-control", "label"), box("aos-slider", "input") as slider:
                slider.props("type=range min=0 max=100 value=60 aria-label='Opacity of the heat map'")
        if detail.regions:
            with kit.button(
                "Regions",
                shortcut="R",
                classes="small quiet tool-regions",
                act="regions",
                tip="Outlines on or off",
            ):
                _on_off()
        box("space")
        if step is not None:
            _draw_steps(step, position)


def _draw_steps(step: Step, position: str) -> None:
    async def earlier() -> None:
        await step(-1)

    async def later() -> None:
        await step(1)

    kit.button("", earlier, icon_name="arrow_upward", shortcut="K", classes="small quiet", tip="Previous")
    kit.button("", later, icon_name="arrow_downward", shortcut="J", classes="small quiet", tip="Next")
    Text(position, classes="aos-position")


def _on_off() -> None:
    kit.icon("visibility", "on")
    kit.icon("visibility_off", "off")


def draw_stage(detail: Detail) -> None:
    with box("aos-stage"):
        if not detail.card.has_image:
            kit.empty_state(
                "broken_image", "No picture to show", "The file could not be opened.", tone="rejected"
            )
            return
        with box("aos-float"):
            kit.button(
                "", icon_name="zoom_in", classes="small", act="zoom-in", tip="Zoom in (+ or the wheel)"
            )
            kit.button("", icon_name="fit_screen", classes="small", act="zoom-reset", tip="Whole image (0)")
        with box("aos-stage-fit"), box("aos-photo").style(f"--ratio: {detail.width / detail.height:.5f}"):
            _image(f"/media/image/{detail.card.id}", "photo", f"Photo of {detail.card.category or 'a part'}")
            if detail.has_map:
                _image(
                    f"/media/heatmap/{detail.card.id}",
                    "heat",
                    "Heat map: bright where it differs from normal",
                )
            if detail.regions:
                with box("overlay"):
                    ui.html(regions_svg(detail.regions, detail.width, detail.height), sanitize=False)


def _image(address: str, classes: str, alt: str) -> None:
    with box(classes, "img") as image:
        image.props["src"] = address
        image.props["alt"] = alt
        image.props["draggable"] = "false"
