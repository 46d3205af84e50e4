"""What a report may say: the evidence as facts, each with the id that statements cite."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict

from anomalyos.explain.evidence import Evidence
from anomalyos.knowledge.causes import KnowledgeItem, RankedCause
from anomalyos.reports.words import clean, joined, many, number, percent, quoted

MOST_REGIONS = 3
MOST_PER_CAUSE = 3
"""Remedies and checks of one cause that become facts: a page, not a handbook."""
MOST_FOLLOWED = 3
"""Causes whose remedies and checks are followed."""
METHOD_NAMES = {"midas_small": "MiDaS-small", "shape_from_shading": "linear shape from shading"}
NO_NEXT_STEP = (
    "No check is recorded for this; compare the part with a good one under even light "
    "and write down what you find."
)


class Fact(BaseModel):
    """One retrieved item. ``text`` is a whole sentence in which words of people stand in quotation marks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    kind: str
    """``verdict``, ``route``, ``review``, ``region``, ``depth``, ``shap``, ``trace``, ``case``, ``cause``,
    ``step``, ``remedy``, ``check``, ``note``, ``synthetic``, ``missing``."""
    name: str
    """What it is called in a heading."""
    text: str


class FactSheet(BaseModel):
    """All facts of one inspection, in the order they are read, each id once."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    facts: tuple[Fact, ...]
    verdict: str

    def get(self, fact_id: str) -> Fact | None:
        return next((fact for fact in self.facts if fact.id == fact_id), None)

    def of_kind(self, kind: str) -> list[Fact]:
        return [fact for fact in self.facts if fact.kind == kind]


def build_fact_sheet(evidence: Evidence) -> FactSheet:
    """The facts of ``evidence``. What is not known is a fact too, so that it can be said and cited."""
    found: dict[str, Fact] = {}
    for facts in (_inspection, _regions, _depth, _shap, _trace, _cases, _causes, _notes, _missing):
        for fact in facts(evidence):
            found.setdefault(fact.id, fact)
    return FactSheet(facts=tuple(found.values()), verdict=str(evidence.inspection.get("verdict", "")))


def _inspection(evidence: Evidence) -> Iterator[Fact]:
    facts = evidence.inspection
    yield Fact(id="verdict", kind="verdict", name="Verdict", text=_verdict_text(facts))
    if facts.get("route_mismatch"):
        text = (
            f"The picture looks like {quoted(facts.get('routed_category') or 'another product', 80)}, "
            f"but it was delivered as {quoted(facts.get('category') or 'unknown', 80)}; "
            "the delivered category was kept."
        )
        yield Fact(id="route", kind="route", name="Category in doubt", text=text)
    if facts.get("decision"):
        kind = f" as {quoted(facts['defect_type'], 80)}" if facts.get("defect_type") else ""
        text = f"A reviewer decided {quoted(str(facts['decision']).replace('_', ' '), 40)}{kind}."
        yield Fact(id="review", kind="review", name="Reviewer's decision", text=text)
    if facts.get("synthetic"):
        text = "The product is a synthetic sample that was drawn by a program, not a photographed part."
        yield Fact(id="synthetic", kind="synthetic", name="Synthetic product", text=text)


def _verdict_text(facts: dict[str, Any]) -> str:
    category = quoted(facts.get("category") or "unnamed", 80)
    verdict = facts.get("verdict")
    if verdict == "rejected":
        reason = f": {quoted(facts['reject_reason'], 200)}" if facts.get("reject_reason") else ""
        return f"The image was refused and not judged{reason}."
    if verdict == "unknown_category":
        near = facts.get("routed_category")
        closest = f"; the closest is {quoted(near, 80)}" if near else ""
        if near and facts.get("routed_similarity") is not None:
            closest += f" with similarity {facts['routed_similarity']:.2f}"
        return f"The image resembles no known product{closest}, so no model judged it."
    word = {"anomalous": "was flagged as anomalous", "normal": "was judged normal"}.get(
        str(verdict), f"has the verdict {quoted(verdict, 40)}"
    )
    return f"The part of category {category} {word}{_score_text(facts)}"


def _score_text(facts: dict[str, Any]) -> str:
    score, threshold = facts.get("score"), facts.get("threshold")
    if score is None or threshold is None:
        return "."
    text = f". Its score is {number(score)} and the threshold is {number(threshold)}"
    if threshold > 0 and score >= threshold:
        text = f". Its score is {number(score)}, {score / threshold:.2f} times the threshold of "
        text += number(threshold)
    if facts.get("p_value_in_words"):
        text += f" ({clean(facts['p_value_in_words'], 120)})"
    if facts.get("model_version") is not None:
        text += f". Model version {facts['model_version']} judged it"
    return f"{text}."


def _regions(evidence: Evidence) -> Iterator[Fact]:
    width, height = evidence.inspection.get("width"), evidence.inspection.get("height")
    for rank, region in enumerate(evidence.regions[:MOST_REGIONS], start=1):
        where = ""
        if width and height:
            where = " " + place_words(
                (region["x"] + region["width"] / 2) / width, (region["y"] + region["height"] / 2) / height
            )
        text = (
            f"Region {rank}{where} spans {region['width']} by {region['height']} pixels "
            f"at x {region['x']}, y {region['y']}"
        )
        if region.get("area_share") is not None:
            text += f" and covers {percent(region['area_share'])} of the picture"
        yield Fact(id=f"region:{rank}", kind="region", name=f"Region {rank}", text=text + ".")


def place_words(x: float, y: float) -> str:
    """Where in the picture, both in [0, 1]: ``in the upper left``, ``in the centre``."""
    row = "upper" if y < 1 / 3 else "lower" if y > 2 / 3 else ""
    column = "left" if x < 1 / 3 else "right" if x > 2 / 3 else ""
    if not row and not column:
        return "in the centre"
    return f"in the {row} {column}" if row and column else f"in the {row or column} part"


def _depth(evidence: Evidence) -> Iterator[Fact]:
    depth = evidence.depth
    if depth is None:
        return
    side = "nearer than" if depth.mean > 0 else "farther than"
    rough = "rougher" if depth.gradient_energy > 0 else "smoother"
    method = METHOD_NAMES.get(depth.method, quoted(depth.method, 80))
    text = (
        f"By {method} the region lies {side} its surroundings by {number(abs(depth.mean))} standard "
        f"deviations and is {rough} than they are; over all five depth statistics it departs by "
        f"{number(depth.deviation)}. This is an estimate from one photograph, not a measurement."
    )
    yield Fact(id="depth", kind="depth", name="Depth", text=text)


def _shap(evidence: Evidence) -> Iterator[Fact]:
    if evidence.shap is None:
        return
    for value in sorted(evidence.shap.values, key=lambda v: -abs(v.contribution)):
        unit = f" {clean(value.unit, 20)}" if value.unit else ""
        direction = "raises" if value.contribution >= 0 else "lowers"
        text = (
            f"The {clean(value.label, 80)} is {number(value.value)}{unit}, typically "
            f"{number(value.typical)}{unit} on normal parts; it {direction} the explained score by "
            f"{number(abs(value.contribution))}."
        )
        yield Fact(id=f"shap:{clean(value.feature, 60)}", kind="shap", name=clean(value.label, 80), text=text)


def _trace(evidence: Evidence) -> Iterator[Fact]:
    for rank, pair in enumerate(evidence.trace, start=1):
        text = f"Anomalous patch {rank} at x {pair.place.box.x}, y {pair.place.box.y}"
        if pair.neighbours:
            nearest = min(pair.neighbours, key=lambda neighbour: neighbour.distance)
            text += (
                f" has its most similar normal patch in training image {quoted(nearest.place.image, 120)}, "
                f"at distance {number(nearest.distance)}"
            )
        else:
            text += " has no similar normal patch on record"
        yield Fact(id=f"trace:{rank}", kind="trace", name=f"Patch {rank}", text=text + ".")


def _cases(evidence: Evidence) -> Iterator[Fact]:
    for case in evidence.similar:
        severity = f", severity {quoted(case.severity, 40)}" if case.severity else ""
        drawn = "; it is a synthetic case" if case.synthetic else ""
        text = (
            f"Case {case.case_id} is a known defect {quoted(case.defect_type, 80)} of category "
            f"{quoted(case.category, 80)}{severity}, with similarity {case.similarity:.2f}{drawn}."
        )
        yield Fact(id=f"case:{case.case_id}", kind="case", name=f"Case {case.case_id}", text=text)


def _causes(evidence: Evidence) -> Iterator[Fact]:
    for cause in evidence.causes:
        yield Fact(id=cause.key, kind="cause", name=clean(cause.name, 120), text=_cause_text(cause))
    for cause in evidence.causes[:MOST_FOLLOWED]:
        for kind, items in (("step", cause.steps), ("remedy", cause.remedies), ("check", cause.checks)):
            for item in items[:MOST_PER_CAUSE]:
                yield _item(kind, item, cause)


def _cause_text(cause: RankedCause) -> str:
    known = (
        f"established in {cause.confirmed} of {many(cause.confirmed_all, 'case')} with a known cause"
        if cause.confirmed_all
        else "so far from general knowledge alone, as no case here has a known cause"
    )
    steps = ""
    if cause.steps:
        steps = f" Process steps: {joined([clean(step.name, 80) for step in cause.steps[:MOST_PER_CAUSE]])}."
    text = f" {clean(cause.text, 300)}" if cause.text else ""
    return (
        f"{clean(cause.name, 120)}: {percent(cause.probability)} likely "
        f"(90 % interval {percent(cause.low)} to {percent(cause.high)}; {known}).{text}{steps}"
    )


def _item(kind: str, item: KnowledgeItem, cause: RankedCause) -> Fact:
    text = f"{clean(item.name, 160)} (for the cause: {clean(cause.name, 120)})."
    if item.text:
        text += f" {clean(item.text, 300)}"
    return Fact(id=item.key, kind=kind, name=clean(item.name, 160), text=text)


def _notes(evidence: Evidence) -> Iterator[Fact]:
    for note in evidence.notes:
        text = f"{quoted(note.author or 'somebody', 80)} wrote: {quoted(note.text)}"
        name = f"Note {clean(note.id, 60)}"
        yield Fact(id=f"note:{clean(note.id, 60)}", kind="note", name=name, text=text)


def _missing(evidence: Evidence) -> Iterator[Fact]:
    """What a reader would look for and not find, with the reason where one is known."""
    followed = evidence.causes[:MOST_FOLLOWED]
    defaults = {
        "similar": "No similar case is known." if not evidence.similar else "",
        "causes": "No cause is known for this." if not evidence.causes else "",
        "remedies": "No remedy is recorded for this." if not any(c.remedies for c in followed) else "",
        "checks": NO_NEXT_STEP if not any(c.checks for c in followed) else "",
    }
    for part in [*defaults, *(name for name in evidence.missing if name not in defaults)]:
        reason = evidence.missing.get(part, "")
        text = defaults.get(part, f"The part {quoted(part, 40)} could not be had.") or ""
        if reason and (text or part not in defaults):
            # an error's words may repeat a file's name
            text = f"{text} Reason: {quoted(reason, 300)}"
        if text:
            name = f"Not at hand: {clean(part, 40)}"
            yield Fact(id=f"missing:{clean(part, 40)}", kind="missing", name=name, text=text)
