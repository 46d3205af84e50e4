"""Whether a statement stands on what was retrieved: cheap checks that need no second model.

They cannot prove a statement true. They do catch what a reader must never take for a fact: a claim
without a source, an invented source or number, a source of the wrong kind, and a verdict turned round.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from anomalyos.reports.content import SECTIONS, Claim, Draft, ReportContent, Section, Statement
from anomalyos.reports.dossier import Fact, FactSheet
from anomalyos.reports.words import clean, numbers_in

FITTING: dict[Section, tuple[str, str]] = {
    "likely_causes": ("cause", "missing:causes"),
    "remedies": ("remedy", "missing:remedies"),
    "next_checks": ("check", "missing:checks"),
}
"""What at least one citation of a section has to be: of this kind, or the fact that there is none."""

_EMPTY_WORDS = frozenset(
    ["the", "and", "for", "too", "not", "has", "are", "was", "with", "from", "into", "that", "this", "more"]
)
_QUOTATION = re.compile(r"“[^”]*”")
_DENIAL = re.compile(r"\b(no|not|none|nothing|unknown|missing|without|never|neither)\b", re.IGNORECASE)
_PART = r"(?:part|piece|item|product|image|it|this|that|everything)"
_FINE = re.compile(
    rf"\b{_PART}\s+(?:is|was|looks|seems|appears)\s+(?:to be\s+)?(?:judged\s+)?"
    r"(?:completely\s+|perfectly\s+)?"
    r"(?:fine|normal|ok|okay|good|acceptable|undamaged|flawless|intact|defect[- ]free)\b"
    r"|\bno\s+(?:defect|anomaly|anomalies|flaw|damage)s?\s+(?:is|are|was|were|has|have|can|could|found|present)\b"
    r"|\b(?:not|isn't)\s+(?:defective|anomalous|damaged|faulty)\b"
    r"|\b(?:safe to ship|can be shipped|passes inspection|passed inspection)\b",
    re.IGNORECASE,
)
_FLAWED = re.compile(
    rf"\b{_PART}\s+(?:is|was)\s+(?:judged\s+|flagged as\s+)?(?:defective|anomalous|faulty|damaged|scrap)\b",
    re.IGNORECASE,
)


def check(draft: Draft, dossier: FactSheet) -> ReportContent:
    """Every statement of ``draft`` with what is wrong with it; nothing is dropped."""
    sections = {
        name: tuple(check_claim(name, claim, dossier) for claim in getattr(draft, name)) for name in SECTIONS
    }
    return ReportContent(**sections, confidence=draft.confidence)


def check_claim(section: Section, claim: Claim, dossier: FactSheet) -> Statement:
    text = clean(claim.text, 1000, keep_quotes=True) or "(an empty statement)"
    cites = tuple(dict.fromkeys(clean(cite.strip("[] "), 120) for cite in claim.cites))
    cites = tuple(cite for cite in cites if cite)
    facts = [fact for cite in cites if (fact := dossier.get(cite)) is not None]
    problems: list[str] = []
    if not cites:
        problems.append("cites nothing")
    invented = [cite for cite in cites if dossier.get(cite) is None]
    if invented:
        problems.append(f"cites {', '.join(invented)}, which was not retrieved")
    if facts:
        problems += _kind_problems(section, text, facts)
        problems += _number_problems(text, facts)
    problems += _verdict_problems(text, dossier.verdict)
    return Statement(text=text, cites=cites, problems=tuple(problems))


def _kind_problems(section: Section, text: str, facts: list[Fact]) -> list[str]:
    if section not in FITTING:
        return []
    kind, absence = FITTING[section]
    fitting = [fact for fact in facts if fact.kind == kind]
    if fitting:
        unnamed = not any(_names(text, fact) for fact in fitting)
        return [f"does not name the {kind} it cites"] if unnamed else []
    if any(fact.id == absence for fact in facts):
        # saying that nothing is known is supported; a claim under cover of it is not
        return [] if _DENIAL.search(text) else [f"cites that there is no {kind}, and claims one"]
    return [f"cites no {kind}"]


def _names(text: str, fact: Fact) -> bool:
    """Whether a word of the fact's name stands in ``text``, give or take an ending."""
    stems = _stems(fact.name)
    return not stems or bool(stems & _stems(text))


def _stems(text: str) -> set[str]:
    """The first four letters of every word that says something."""
    return {word[:4] for word in re.findall(r"\w{3,}", text.lower()) if word not in _EMPTY_WORDS}


def _number_problems(text: str, facts: list[Fact]) -> list[str]:
    known = {written for fact in facts for written in numbers_in(f"{fact.text} {fact.id}")}
    known.add(str(len(facts)))
    values = [_value(written) for written in known]
    strange = [
        written
        for written in dict.fromkeys(numbers_in(text))
        if written not in known and not _rounds_to(written, values)
    ]
    return [f"says {', '.join(strange)}, which the cited facts do not"] if strange else []


def _value(written: str) -> float | None:
    try:
        return float(written.replace(",", "."))
    except ValueError:  # 1.2.3 is a version or a date
        return None


def _rounds_to(written: str, values: Iterable[float | None]) -> bool:
    """Whether ``written`` is one of ``values`` rounded, or as a percentage, or written as a share."""
    wanted = _value(written)
    if wanted is None:
        return False
    places = len(re.split("[.,]", written)[-1]) if re.search("[.,]", written) else 0
    step = 0.5 * 10.0**-places * (1 + 1e-9)
    return any(
        abs(value * scale - wanted) <= step
        # an integer may not stand for just any fraction near it: 0 and 1 would fit everything
        and (places > 0 or abs(value * scale) >= 2)
        for value in values
        if value is not None
        for scale in ((1.0, 100.0) if value <= 1 else (1.0, 0.01) if value <= 100 else (1.0,))
    )


def _verdict_problems(text: str, verdict: str) -> list[str]:
    spoken = _QUOTATION.sub("", text)
    if verdict == "anomalous" and _FINE.search(spoken):
        return ["contradicts the stored verdict, which is anomalous"]
    if verdict == "normal" and _FLAWED.search(spoken):
        return ["contradicts the stored verdict, which is normal"]
    if verdict in ("unknown_category", "rejected") and (_FINE.search(spoken) or _FLAWED.search(spoken)):
        return ["gives a verdict, and there is none"]
    return []
