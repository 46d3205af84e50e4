"""The parts of a result: the photo with its heat map and regions, and what is known about it in words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import ui

from anomalyos.inspection.anomaly_map import STOPS
from console.components import score_bar
from console.services.views import Detail, ReviewView
from console.texts import wording
from console.ui import kit
from console.ui.kit import Text, box

_STAGE_WORDS = {
    "decode": "open",
    "route": "recognise",
    "features": "read",
    "search": "compare",
    "map": "map",
    "store": "keep",
}


def draw_verdict(detail: Detail, copy_link: Callable[[], Awaitable[None]]) -> None:
    card = detail.card
    with box("aos-verdict"):
        with box("aos-verdict-row"):
            kit.badge(wording.verdict_label(card.verdict))
            if card.synthetic:
                kit.synthetic_badge()
            box("space")
            tip = "Copy a link to this result"
            kit.button("", copy_link, icon_name="link", classes="small quiet", tip=tip).mark("copy-link")
        Text(wording.product(card.category), "h2", "aos-product")
        Text(detail.sentence, "p", "aos-sentence").mark("sentence")
        score_bar.draw(detail)
        if detail.route_mismatch:
            kit.notice(
                f"Delivered as {detail.given_category}, but it looks like {detail.routed_category}. "
                "It was scored as delivered.",
                "unsure",
                "swap_horiz",
            )
        if card.reject_code:
            kit.notice(
                wording.NEXT_STEPS.get(card.reject_code, "Send the photo again."), "accent", "lightbulb"
            )


def draw_facts(detail: Detail) -> None:
    with kit.section("aos-section", "About this image", "h3"):
        kit.facts(_facts(detail))
    if detail.timings_ms:
        _draw_timings(detail.timings_ms)


def _facts(detail: Detail) -> list[tuple[str, str]]:
    folder, _, name = detail.card.source.rpartition("/")
    facts = [
        ("File", name),
        *([("Folder", folder)] if folder else []),
        ("Batch", detail.batch_title),
        ("Inspected", wording.moment(detail.created_at)),
    ]
    if detail.width:
        facts.append(("Size", f"{detail.width:,} × {detail.height:,} px"))
    if detail.card.category:
        facts.append(("Category", detail.card.category))
    if detail.model:
        facts.append(("Model", f"{detail.model} ({detail.recipe})" if detail.recipe else detail.model))
    if detail.card.p_value is not None:
        facts.append(("p-value", wording.number(detail.card.p_value)))
    if detail.alpha is not None:
        facts.append(("Promised false alarms", f"at most {100 * detail.alpha:.3g} % of normal parts"))
    if detail.regions:
        facts.append(("Regions", str(len(detail.regions))))
    if detail.routed_category and detail.routed_similarity is not None:
        facts.append(("Recognised as", f"{detail.routed_category} ({detail.routed_similarity:.3f})"))
    facts.append(("Number", str(detail.card.id)))
    return facts


def _draw_timings(timings: dict[str, float]) -> None:
    stages = [(name, timings[name]) for name in _STAGE_WORDS if timings.get(name)]
    total = timings.get("total") or sum(value for _, value in stages)
    with kit.section("aos-section", f"Took {wording.milliseconds(total)}", "h3"):
        with box("aos-times").props("aria-hidden=true"):
            for _, value in stages:
                box().style(f"flex: {max(value, 0.01):.3f} 1 0")
        Text(
            " · ".join(f"{_STAGE_WORDS[name]} {wording.milliseconds(value)}" for name, value in stages),
            "p",
            "aos-muted aos-small",
        )


def draw_history(history: list[ReviewView]) -> None:
    with kit.section("aos-section", "Reviews", "h3"):
        if not history:
            Text("Nobody has decided yet.", "p", "aos-muted aos-small")
        for review in history:
            _draw_review(review)


def _draw_review(review: ReviewView) -> None:
    label = wording.decision_label(review.decision)
    undone = review.kind == "undo"
    with box(f"aos-event tone-{'rejected' if undone else label.tone}"):
        kit.icon("undo" if undone else label.icon)
        with box("what"):
            if undone:
                back = "undecided" if review.decision == "withdrawn" else f"“{label.word}”"
                Text(f"{review.reviewer} took it back to {back}")
            else:
                kind = f" ({review.defect_type})" if review.defect_type else ""
                Text(f"{label.word}{kind} by {review.reviewer}")
        if review.note and not undone:
            Text(review.note, "div", "note")
        Text(wording.moment(review.when), "div", "when")


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
