"""What an explanation says in words and cards: causes, similar cases, depth, notes, what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from anomalyos.cases.similar import SimilarCase
from anomalyos.explain.evidence import Evidence, Note
from anomalyos.knowledge.causes import KnowledgeItem, PathStep, RankedCause
from anomalyos.reports.dossier import build_fact_sheet
from anomalyos.reports.words import number, percent
from console.components.explanation import words
from console.texts import links, wording
from console.ui import kit
from console.ui.kit import Text, box

_KINDS = {"case": "case", "category": "product", "defect": "defect", "cause": "cause"}


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
                    kit.icon_line("arrow_forward", step.relation.replace("_", " "), "aos-chain-arrow")
                _draw_step(step)


def _draw_step(step: PathStep) -> None:
    kind = _KINDS.get(step.kind, step.kind)
    name = words.defect_name(step.name) if step.kind == "defect" else step.name
    if step.kind == "category":
        name = wording.product(step.name)
    number = step.key.removeprefix("case:")
    address = links.case_page(number) if step.kind == "case" else links.node_page(step.key)
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
        kit.icon_line(icon, title, "title")
        with box("", "ul"):
            for item in items:
                with box("", "li"):
                    Text(item.name, "b")
                    if item.text:
                        Text(f" {item.text}")


def draw_similar(cases: Sequence[SimilarCase], *, most: int = 5) -> None:
    """Cards in the order of likeness; each leads to where its case came from."""
    with box("aos-alike", "ul"):
        for case in cases[:most]:
            with box("", "li"):
                _draw_card(case)


def _draw_card(case: SimilarCase) -> None:
    name = words.defect_name(case.defect_type)
    with box("aos-alike-card", "a", href=words.case_address(case)).mark(f"case-{case.case_id}"):
        kit.image(f"/media/case/{case.case_id}/thumb", f"Case {case.case_id}: {name}", "aos-alike-picture")
        Text(name, "div", "aos-alike-name")
        draw_likeness(case.similarity)
        kit.icon_line(
            "rate_review" if words.origin(case) == "from a review" else "inventory_2",
            f"Case {case.case_id}, {words.origin(case)}",
            "aos-alike-origin",
        )
        if case.severity:
            Text(f"Severity: {case.severity}", "div", "aos-alike-origin")
        if case.synthetic:
            Text("synthetic", "div", "aos-made")


def draw_likeness(similarity: float) -> None:
    """A bar and its number, 0 to 1."""
    with box("aos-likeness"):
        with box("aos-likeness-track").props("aria-hidden=true"):
            box().style(f"width: {100 * max(0.0, min(1.0, similarity)):.1f}%")
        Text(f"{number(similarity)} alike")


def draw_beside(inspection_id: int, category: str) -> None:
    """The part itself, cut out as the cases are, to hold them against."""
    with box("aos-alike-own", "figure"):
        kit.image(
            f"/media/crop/{inspection_id}",
            f"The flagged place of this {wording.product(category).lower()}",
            "aos-alike-picture",
        )
        Text("This part", "figcaption", "aos-alike-name")


def draw_depth(evidence: Evidence) -> None:
    """The sentence reports use too, so that both say the same."""
    fact = build_fact_sheet(evidence).get("depth")
    if fact is not None:
        Text(fact.text, "p")


def draw_notes(notes: Sequence[Note]) -> None:
    with box("aos-notes", "ul"):
        for note in notes:
            kind, _, number = note.id.partition(":")
            where = "in a review" if kind == "review" else f"at case {number}"
            with box("aos-quote", "li"):
                Text(f"{note.author or 'Somebody'} {where}", "div", "aos-muted aos-small")
                Text(note.text, "p")


def draw_missing(why: str) -> None:
    """Why a part could not be had; the reason ends with what can be done about it."""
    kit.icon_line("info", why, "aos-missing")


def draw_cost(part: str, cost_ms: Mapping[str, float]) -> None:
    """What one part took, unless it was there already."""
    if part in cost_ms:
        Text(f"Took {wording.milliseconds(cost_ms[part])}", "p", "aos-cost")
