"""Possible root causes: how one gets from this part to the cause, how likely it is, and what helps."""

from __future__ import annotations

from collections.abc import Sequence

from anomalyos.knowledge.causes import KnowledgeItem, PathStep, RankedCause
from anomalyos.reports.words import percent
from console.components.explanation import words
from console.ui import kit, wording
from console.ui.kit import Text, box

_KINDS = {
    "case": "case",
    "category": "product",
    "defect": "defect",
    "cause": "cause",
}


def draw_causes(causes: Sequence[RankedCause], *, most: int = 5, brief: bool = False) -> None:
    """Most likely first. What helps is folded away but for the first, and for all when ``brief``."""
    with box("aos-causes", "ol"):
        for index, cause in enumerate(causes[:most]):
            with box("aos-cause", "li"):
                _draw_cause(cause, brief=brief or index > 0)
    if len(causes) > most:
        Text(f"and {wording.plural(len(causes) - most, 'less likely cause')}", "p", "aos-muted aos-small")


def _draw_cause(cause: RankedCause, *, brief: bool) -> None:
    _draw_chain(cause.path)
    with box("aos-odds"):
        span = f"{percent(cause.low)} to {percent(cause.high)}"
        label = f"{percent(cause.probability)} likely, 90 % interval {span}"
        with box("aos-odds-track", role="img", aria_label=label):
            low, high = 100 * cause.low, 100 * cause.high
            box("span").style(f"left: {low:.1f}%; width: {max(0.5, high - low):.1f}%")
            box("mark").style(f"left: {100 * cause.probability:.1f}%")
        Text(percent(cause.probability), "b")
        Text(span, classes="aos-muted")
    Text(counts(cause), "p", "aos-muted aos-small")
    if brief:
        if cause.remedies or cause.checks:
            with box("aos-fold", "details"):
                Text("What helps", "summary")
                _draw_help(cause)
        return
    if cause.text:
        Text(cause.text, "p", "aos-small")
    _draw_help(cause)


def counts(cause: RankedCause) -> str:
    """What the figure rests on."""
    if cause.confirmed_all:
        cases = wording.plural(cause.confirmed_all, "case")
        return f"Established in {cause.confirmed:,} of {cases} with a known cause."
    return "From general knowledge: no case here has an established cause yet."


def _draw_chain(path: Sequence[PathStep]) -> None:
    with box("aos-chain", "ol").props("aria-label='How one gets to this cause'"):
        for step in path:
            with box(f"aos-chain-step kind-{step.kind if step.kind in _KINDS else 'other'}", "li"):
                if step.relation:
                    with box("aos-chain-arrow"):
                        kit.icon("arrow_forward")
                        Text(step.relation.replace("_", " "))
                _draw_step(step)


def _draw_step(step: PathStep) -> None:
    kind = _KINDS.get(step.kind, step.kind)
    name = words.defect_name(step.name) if step.kind == "defect" else step.name
    if step.kind == "category":
        name = wording.product(step.name)
    number = step.key.removeprefix("case:")
    address = f"/knowledge/case/{number}" if step.kind == "case" else words.node_address(step.key)
    with box("aos-chain-node", "a", href=address):
        Text(kind, classes="kind")
        Text(f"Case {number}" if step.kind == "case" else name, "b")


def _draw_help(cause: RankedCause) -> None:
    _draw_items("build", "Remedies", cause.remedies)
    _draw_items("fact_check", "Check", cause.checks)
    _draw_items("precision_manufacturing", "Process steps", cause.steps)


def _draw_items(icon: str, title: str, items: Sequence[KnowledgeItem]) -> None:
    if not items:
        return
    with box("aos-help-items"):
        with box("title"):
            kit.icon(icon)
            Text(title)
        with box("", "ul"):
            for item in items:
                with box("", "li"):
                    Text(item.name, "b")
                    if item.text:
                        Text(f" {item.text}")
