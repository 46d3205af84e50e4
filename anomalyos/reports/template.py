"""The report without a model: the same facts in plain sentences, each citing where it comes from."""

from __future__ import annotations

from anomalyos.explain.evidence import Evidence
from anomalyos.reports.confidence import bound
from anomalyos.reports.content import Claim, Draft
from anomalyos.reports.dossier import Fact, FactSheet
from anomalyos.reports.words import joined, many, quoted

MOST_SIMILAR = 3
MOST_CAUSES = 3
MOST_FEATURES = 2
MOST_STEPS = 5


def write_draft(evidence: Evidence, dossier: FactSheet) -> Draft:
    """Every section from ``dossier``; what is missing is said where it would stand."""
    return Draft(
        finding=tuple(_finding(dossier)),
        evidence=tuple(_evidence(evidence, dossier)),
        likely_causes=tuple(_causes(evidence, dossier)),
        remedies=tuple(_listed(dossier, "remedy", "missing:remedies")),
        next_checks=tuple(_next_checks(dossier)),
        confidence=bound(evidence),
    )


def _cite(*facts: Fact) -> Claim:
    return Claim(text=" ".join(fact.text for fact in facts), cites=tuple(fact.id for fact in facts))


def _present(dossier: FactSheet, *ids: str) -> list[Fact]:
    return [fact for fact_id in ids if (fact := dossier.get(fact_id)) is not None]


def _finding(dossier: FactSheet) -> list[Claim]:
    claims = [_cite(fact) for fact in _present(dossier, "verdict", "review", "route", "synthetic")]
    regions = dossier.of_kind("region")
    if regions:
        claims.insert(1, _cite(regions[0]))
    elif dossier.verdict == "anomalous":
        text = "No single region stands out; the picture as a whole departs from what is normal."
        claims.insert(1, Claim(text=text, cites=("verdict",)))
    return claims


def _evidence(evidence: Evidence, dossier: FactSheet) -> list[Claim]:
    claims = _similar(evidence, dossier)
    claims += [_cite(fact) for fact in dossier.of_kind("shap")[:MOST_FEATURES]]
    claims += [_cite(fact) for fact in dossier.of_kind("trace")[:1]]
    claims += [_cite(fact) for fact in _present(dossier, "depth")]
    claims += [_cite(fact) for fact in dossier.of_kind("note")[:2]]
    return claims


def _similar(evidence: Evidence, dossier: FactSheet) -> list[Claim]:
    """One sentence over the closest cases rather than one each: what they agree on is what matters."""
    cases = evidence.similar
    if not cases:
        return [_cite(fact) for fact in _present(dossier, "missing:similar")]
    kinds = list(dict.fromkeys(case.defect_type for case in cases))
    if len(cases) > 1 and len(kinds) == 1:
        all_of_them = "Both" if len(cases) == 2 else f"All {len(cases)}"
        text = f"{all_of_them} similar cases are {quoted(kinds[0], 80)}, the closest with similarity "
        text += f"{cases[0].similarity:.2f}."
        return [Claim(text=text, cites=tuple(f"case:{case.case_id}" for case in cases))]
    named = [
        f"{quoted(case.defect_type, 80)} (case {case.case_id}, similarity {case.similarity:.2f})"
        for case in cases[:MOST_SIMILAR]
    ]
    text = f"The closest past defects are {joined(named)}."
    if len(named) == 1:
        text = f"The closest past defect is {named[0]}."
    return [Claim(text=text, cites=tuple(f"case:{case.case_id}" for case in cases[:MOST_SIMILAR]))]


def _causes(evidence: Evidence, dossier: FactSheet) -> list[Claim]:
    claims = [_cite(fact) for fact in dossier.of_kind("cause")[:MOST_CAUSES]]
    rest = dossier.of_kind("cause")[MOST_CAUSES:]
    if rest:
        text = f"Less likely: {joined([fact.name for fact in rest])}."
        claims.append(Claim(text=text[:1000], cites=tuple(fact.id for fact in rest[:20])))
    return claims or [_cite(fact) for fact in _present(dossier, "missing:causes")]


def _listed(dossier: FactSheet, kind: str, absence: str) -> list[Claim]:
    facts = dossier.of_kind(kind)[:MOST_STEPS] or _present(dossier, absence)
    return [_cite(fact) for fact in facts]


def _next_checks(dossier: FactSheet) -> list[Claim]:
    claims = _listed(dossier, "check", "missing:checks")
    route = dossier.get("route")
    if route is not None and dossier.get("missing:checks") is not None:
        text = f"No check is recorded, but first settle which product this is. {route.text}"
        claims.insert(0, Claim(text=text, cites=("missing:checks", "route")))
    return claims


def summary(evidence: Evidence) -> str:
    """One line about what the report stands on: ``5 similar cases, 3 causes``."""
    parts = [
        many(len(evidence.similar), "similar case"),
        many(len(evidence.causes), "possible cause"),
        many(len(evidence.trace), "traced patch", "traced patches"),
    ]
    return joined(parts)
