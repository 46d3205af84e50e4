"""What an explanation shows: maps side by side, patches beside normal ones, SHAP as a waterfall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from anomalyos.explain.evidence import (
    CamExplanation,
    Evidence,
    NamedDefect,
    ShapExplanation,
    ShapValue,
    TraceNeighbour,
    TracePair,
)
from anomalyos.reports.words import number
from console.components.explanation.words import MAP_NAMES, defect_name, fidelity_words
from console.services.views import Detail
from console.ui import kit
from console.ui.kit import Text, box

_WHAT = {
    "gradcam_pp": "Where a change would move the score, smoothed",
    "hirescam": "The same, place by place",
}


class MapRow:
    """The photograph and its maps. ``show`` adds what has been computed since."""

    def __init__(self, detail: Detail) -> None:
        self._detail = detail
        with box("aos-sync", "section") as self._row:
            self._row.props("tabindex=0 role=group aria-label='Photograph and maps; plus and minus zoom all'")
            with box("aos-sync-tools"):
                if detail.has_map:
                    with box("aos-heat-control", "label"):
                        Text("Strength")
                        box(
                            "aos-slider",
                            "input",
                            type="range",
                            min="0",
                            max="100",
                            value="60",
                            aria_label="Strength of the maps",
                        )
                box("space")
                for icon, action, tip in (
                    ("zoom_out", "out", "Smaller"),
                    ("fit_screen", "reset", "Whole picture"),
                    ("zoom_in", "in", "Larger (or drag and double-click)"),
                ):
                    kit.button("", icon_name=icon, classes="small quiet", tip=tip, data_sync=action)
            self._views = box("aos-sync-views")

    def show(self, evidence: Evidence | None) -> None:
        cams = {cam.method: cam for cam in evidence.cams} if evidence is not None else {}
        with kit.redrawn(self._views):
            self._view("Photograph", "As it was delivered", "")
            if self._detail.has_map:
                heat = f"/media/heatmap/{self._detail.card.id}"
                self._view("Anomaly map", "Distance to the nearest normal patch", heat)
            for method, name in MAP_NAMES.items():
                if method in cams:
                    self._view(name, _WHAT[method], self._address(cams[method], method))
            if evidence is not None and evidence.named is not None:
                named = evidence.named
                self._view(*naming(named), self._address(named.cam, "gradcam_pp_class"))

    def _address(self, cam: CamExplanation, method: str) -> str:
        digest = cam.overlay_path.rsplit("/", 1)[-1][:12]
        return f"/media/overlay/{self._detail.card.id}/{method}?v={digest}"

    def _view(self, name: str, meaning: str, overlay: str) -> None:
        detail = self._detail
        with box("aos-sync-view", "figure"):
            ratio = detail.width / max(1, detail.height)
            with box("aos-sync-frame").style(f"--ratio: {ratio:.5f}"), box("aos-sync-layer"):
                kit.image(
                    f"/media/image/{detail.card.id}",
                    f"{name} of {detail.card.category}",
                    "photo",
                    draggable="false",
                )
                if overlay:
                    kit.image(overlay, "", "over", draggable="false")
            with box("", "figcaption"):
                Text(name, "b")
                Text(meaning, "div", "aos-muted aos-small")


def naming(named: NamedDefect) -> tuple[str, str]:
    """Heading and small print of what the classifier says: ``Torn fabric?``, ``82 % sure, by names v2``."""
    sure = f"{named.probability:.0%}".replace("%", " %")
    likeliest = defect_name(named.likeliest)
    if named.label is None:
        return "No name", f"Not sure enough: {likeliest} with {sure}, by names v{named.version}"
    return f"{likeliest}?", f"{sure} sure, by names v{named.version}: what speaks for it"


def draw_nearest(inspection_id: int, trace: Sequence[TracePair]) -> None:
    """The strongest place and the very normal patch its score is the distance to."""
    with box("aos-nearest"):
        _draw_own(inspection_id, 0, trace[0], "This part")
        _draw_gap(trace[0].neighbours[0].distance if trace[0].neighbours else trace[0].score)
        if trace[0].neighbours:
            _draw_normal(inspection_id, 0, 0, trace[0].neighbours[0], "Nearest normal")
        else:
            Text("No normal patch is on record.", "p", "aos-muted aos-small")


def draw_trace(inspection_id: int, trace: Sequence[TracePair]) -> None:
    """Every place with all its neighbours, the strongest place first."""
    with box("aos-trace", "ol"):
        for index, pair in enumerate(trace):
            with box("aos-trace-row", "li"):
                _draw_own(inspection_id, index, pair, f"Place {index + 1}")
                _draw_gap(pair.score)
                for place, neighbour in enumerate(pair.neighbours):
                    caption = "Nearest normal" if place == 0 else f"Normal {place + 1}"
                    _draw_normal(inspection_id, index, place, neighbour, caption, distance=True)


def _draw_own(inspection_id: int, index: int, pair: TracePair, caption: str) -> None:
    with box("aos-patch own", "figure"):
        version = f"{pair.place.box.x}-{pair.place.box.y}"
        kit.image(f"/media/trace/{inspection_id}/{index}/own?v={version}", f"{caption}: the flagged patch")
        Text(caption, "figcaption")


def _draw_normal(
    inspection_id: int,
    index: int,
    place: int,
    neighbour: TraceNeighbour,
    caption: str,
    *,
    distance: bool = False,
) -> None:
    with box("aos-patch", "figure"):
        address = f"/media/trace/{inspection_id}/{index}/{place}?v={neighbour.bank_position}"
        kit.image(address, f"{caption}, from {PurePosixPath(neighbour.place.image).name}")
        with box("", "figcaption"):
            Text(caption)
            if distance:
                Text(number(neighbour.distance), classes="aos-muted")
            Text(neighbour.place.image, "div", "aos-file")


def _draw_gap(distance: float) -> None:
    with box("aos-gap"):
        kit.icon("arrow_range")
        Text(number(distance), "b")
        Text("apart", classes="aos-muted")


@dataclass(frozen=True)
class Bar:
    """One step of the waterfall; ``start`` and ``width`` in percent of the common scale."""

    label: str
    measured: str
    amount: str
    start: float
    width: float
    raises: bool


@dataclass(frozen=True)
class Scale:
    """Places in percent for levels between ``low`` and ``high``."""

    low: float
    high: float

    def at(self, level: float) -> float:
        return 3 + 94 * (level - self.low) / ((self.high - self.low) or 1.0)


def bars(shap: ShapExplanation) -> tuple[Scale, list[Bar]]:
    """The steps, strongest first, each beginning where the one before it ended."""
    values = sorted(shap.values, key=lambda value: -abs(value.contribution))
    levels = [shap.base]
    for value in values:
        levels.append(levels[-1] + value.contribution)
    scale = Scale(min(*levels, shap.score), max(*levels, shap.score))
    steps = zip(values, levels, levels[1:], strict=False)
    return scale, [_bar(scale, value, before, after) for value, before, after in steps]


def _bar(scale: Scale, value: ShapValue, before: float, after: float) -> Bar:
    start, end = scale.at(min(before, after)), scale.at(max(before, after))
    return Bar(
        label=value.label[:1].upper() + value.label[1:],
        measured=f"{_with_unit(value.value, value.unit)}, usually {_with_unit(value.typical, value.unit)}",
        amount=f"{'+' if value.contribution >= 0 else '−'}{number(abs(value.contribution))}",
        start=start,
        width=max(0.6, end - start),
        raises=value.contribution >= 0,
    )


def _with_unit(value: float, unit: str) -> str:
    return f"{number(value)} {unit}".strip() if unit != "0–1" else number(value)


def summary(shap: ShapExplanation) -> str:
    """The chart in one sentence, for people who do not see it."""
    values = sorted(shap.values, key=lambda value: -abs(value.contribution))
    steps = ", ".join(
        f"{value.label} {'raises' if value.contribution >= 0 else 'lowers'} it by "
        f"{number(abs(value.contribution))}"
        for value in values
    )
    return (
        f"From {number(shap.base)}, which is usual, to {number(shap.output)}: {steps}. "
        f"The real score is {number(shap.score)}."
    )


def draw_waterfall(shap: ShapExplanation) -> None:
    scale, steps = bars(shap)
    with box("aos-waterfall", role="img", aria_label=summary(shap)).mark("waterfall"):
        _draw_level("Baseline", "on this product's normal parts", shap.base, scale)
        for step in steps:
            _draw_bar(step)
        _draw_level("Explained score", "all of this together", shap.output, scale)
        _draw_level("Real score", "what the model itself gave", shap.score, scale, real=True)
    with box("aos-legend"):
        for tone, icon, meaning in (
            ("flagged", "arrow_upward", "raises the score"),
            ("normal", "arrow_downward", "lowers it"),
        ):
            kit.icon_line(icon, meaning, f"aos-legend-item tone-{tone}", "span")
    Text(fidelity_words(shap.fidelity), "p", "aos-muted aos-small")


def _draw_bar(step: Bar) -> None:
    with box(f"aos-waterfall-row tone-{'flagged' if step.raises else 'normal'}"):
        with box("label"):
            Text(step.label, "b")
            Text(step.measured, "div", "aos-muted aos-small")
        with box("track"):
            box("bar").style(f"left: {step.start:.2f}%; width: {step.width:.2f}%")
        kit.icon_line("arrow_upward" if step.raises else "arrow_downward", step.amount, "amount")


def _draw_level(name: str, meaning: str, level: float, scale: Scale, *, real: bool = False) -> None:
    with box("aos-waterfall-row level" + (" real" if real else "")):
        with box("label"):
            Text(name, "b")
            Text(meaning, "div", "aos-muted aos-small")
        with box("track"):
            box("stop").style(f"left: {scale.at(level):.2f}%")
        Text(number(level), "div", "amount")
