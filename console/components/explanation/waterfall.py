"""SHAP as a waterfall: from what is usual, through each figure, to the score."""

from __future__ import annotations

from dataclasses import dataclass

from anomalyos.explain.evidence import ShapExplanation, ShapValue
from anomalyos.reports.words import number
from console.components.explanation.words import fidelity_words
from console.ui import kit
from console.ui.kit import Text, box


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
            with box(f"aos-legend-item tone-{tone}", "span"):
                kit.icon(icon)
                Text(meaning)
    Text(fidelity_words(shap.fidelity), "p", "aos-muted aos-small")


def _draw_bar(step: Bar) -> None:
    with box(f"aos-waterfall-row tone-{'flagged' if step.raises else 'normal'}"):
        with box("label"):
            Text(step.label, "b")
            Text(step.measured, "div", "aos-muted aos-small")
        with box("track"):
            box("bar").style(f"left: {step.start:.2f}%; width: {step.width:.2f}%")
        with box("amount"):
            kit.icon("arrow_upward" if step.raises else "arrow_downward")
            Text(step.amount)


def _draw_level(name: str, meaning: str, level: float, scale: Scale, *, real: bool = False) -> None:
    with box("aos-waterfall-row level" + (" real" if real else "")):
        with box("label"):
            Text(name, "b")
            Text(meaning, "div", "aos-muted aos-small")
        with box("track"):
            box("stop").style(f"left: {scale.at(level):.2f}%")
        Text(number(level), "div", "amount")
