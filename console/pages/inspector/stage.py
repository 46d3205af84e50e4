"""The photo with its heat map and regions, alone or beside the bare photo."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import ui

from anomalyos.inspection.anomaly_map import STOPS
from console.services.views import Detail
from console.ui import kit
from console.ui.kit import Text, box


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


def green_scale() -> str:
    """The green of the heat map's colours from the lowest to the highest value, for review.js.

    Green rises all the way, so it tells how high the map is at a pixel, and the browser can hide what
    lies below a level without asking the server.
    """
    return ",".join(f"{value:g}" for value in STOPS[:, 1])


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
            _draw_slider(
                "opacity", "opacity", "Opacity of the heat map", "How strong the heat map is drawn", 0, 100
            )
            _draw_slider(
                "level",
                "filter_b_and_w",
                "Heat map only above this share of the limit",
                "Show only where the heat map exceeds this share of the limit for normal parts",
                50,
                200,
            )
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
        if detail.has_map:
            kit.button(
                "",
                icon_name="splitscreen_right",
                shortcut="S",
                classes="small quiet tool-side",
                act="side",
                tip="Photo and heat map side by side",
            )
        if step is not None:
            _draw_steps(step, position)


def _draw_slider(name: str, icon_name: str, label: str, tip: str, low: int, high: int) -> None:
    """A slider review.js and console.js act on at once; what it is set to stays with the browser."""
    with box("aos-heat-control", "label"):
        kit.icon(icon_name)
        classes = "aos-slider" if name == "opacity" else "aos-slider aos-level"
        with box(classes, "input") as slider:
            # no value: drawing again would put it back to what the server thinks
            slider.props(f"type=range min={low} max={high}")
            slider.props["aria-label"] = label
            if name == "level":
                slider.props["step"] = 5
        if name == "level":
            Text("", classes="aos-level-text")
        ui.tooltip(tip)


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
        with box("aos-stage-fit"):
            with _pane("", detail):
                _photo(detail)
                _draw_overlays(detail)
            if detail.has_map:
                # shown by the key S only; the browser has fetched the photo anyway
                with _pane("bare", detail):
                    _photo(detail)


def _pane(classes: str, detail: Detail) -> ui.element:
    """Where one picture lies: it may be zoomed beyond its pane, and is cut off there."""
    with box(f"aos-pane {classes}"):
        return box("aos-photo").style(f"--ratio: {detail.width / detail.height:.5f}")


def _photo(detail: Detail) -> None:
    _image(f"/media/image/{detail.card.id}", "photo", f"Photo of {detail.card.category or 'a part'}")


def _draw_overlays(detail: Detail) -> None:
    if detail.has_map:
        heat = _image(
            f"/media/heatmap/{detail.card.id}", "heat", "Heat map: bright where it differs from normal"
        )
        heat.props["data-green"] = green_scale()
    if detail.regions:
        with box("overlay"):
            ui.html(regions_svg(detail.regions, detail.width, detail.height), sanitize=False)


def _image(address: str, classes: str, alt: str) -> ui.element:
    image = kit.image(address, alt, classes, draggable="false")
    return image
