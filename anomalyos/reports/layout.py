"""What a report's page holds, in order, for every form it is exported in."""

from __future__ import annotations

from dataclasses import dataclass, field

from anomalyos.db.engine import Store
from anomalyos.explain.evidence import Evidence, ShapExplanation
from anomalyos.knowledge.causes import RankedCause
from anomalyos.reports.content import SECTIONS, TITLES, Level, Statement
from anomalyos.reports.dossier import Fact
from anomalyos.reports.pictures import Picture, PictureLoader, TrainingPictures
from anomalyos.reports.words import clean, number, percent
from anomalyos.reports.writer import WrittenReport

MOST_CASES = 5
MOST_TRACES = 3
VERDICTS = {
    "anomalous": ("Anomalous", "bad"),
    "normal": ("Normal", "good"),
    "unknown_category": ("Unknown category", "open"),
    "rejected": ("Refused", "open"),
}


@dataclass(frozen=True)
class CaseCard:
    anchor: str
    title: str
    kind: str
    similarity: float
    note: str
    picture: Picture | None


@dataclass(frozen=True)
class CauseBar:
    """Positions in per cent of the bar's width."""

    anchor: str
    name: str
    words: str
    counts: str
    path: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class ShapBar:
    """``start`` and ``width`` in per cent of the common scale."""

    anchor: str
    label: str
    value: str
    amount: str
    start: float
    width: float
    raises: bool


@dataclass(frozen=True)
class Waterfall:
    base: str
    output: str
    score: str
    fidelity: str
    zero: float
    """Where the base lies, in per cent."""
    bars: tuple[ShapBar, ...]


@dataclass(frozen=True)
class TraceRow:
    anchor: str
    patch: Picture | None
    normal: Picture | None
    score: str
    distance: str
    image: str


@dataclass(frozen=True)
class Section:
    title: str
    statements: tuple[Statement, ...]


@dataclass(frozen=True)
class Page:
    """Everything a page shows. Verdict, score and likelihoods are the stored ones, never a model's."""

    title: str
    verdict: str
    tone: str
    lead: str
    facts: tuple[tuple[str, str], ...]
    pictures: tuple[Picture, ...]
    crop: Picture | None
    sections: tuple[Section, ...]
    confidence: Level
    confidence_why: str
    cases: tuple[CaseCard, ...]
    causes: tuple[CauseBar, ...]
    waterfall: Waterfall | None
    traces: tuple[TraceRow, ...]
    sources: tuple[Fact, ...]
    known: frozenset[str]
    missing: tuple[str, ...]
    unsupported: int
    origin: str
    fallback: str = ""
    details: tuple[tuple[str, str], ...] = field(default=())


def build_page(
    evidence: Evidence, report: WrittenReport, store: Store, training: TrainingPictures | None = None
) -> Page:
    """Lay out a report.

    Args:
        training: finds the files of training images; without it traces show the inspected side alone.
    """
    facts = evidence.inspection
    album = PictureLoader(evidence, store.objects)
    verdict, tone = VERDICTS.get(str(facts.get("verdict")), (clean(facts.get("verdict", "?"), 40), "open"))
    traces = tuple(_traces(evidence, album, training))
    crop = album.crop()
    return Page(
        title=f"Inspection {clean(facts.get('id', '?'), 20)}",
        verdict=verdict,
        tone=tone,
        lead=_lead(report),
        facts=tuple(_facts(evidence)),
        pictures=tuple(album.main()),
        crop=crop,
        sections=tuple(Section(TITLES[name], report.content.section(name)) for name in SECTIONS),
        confidence=report.content.confidence.level,
        confidence_why=report.content.confidence.why,
        cases=tuple(_cases(evidence, album)),
        causes=tuple(_cause(cause) for cause in evidence.causes),
        waterfall=_waterfall(evidence.shap) if evidence.shap is not None else None,
        traces=traces,
        sources=report.inputs.facts,
        known=frozenset(fact.id for fact in report.inputs.facts),
        missing=tuple(album.missing),
        unsupported=report.unsupported,
        origin=_origin(report),
        fallback=report.fallback_reason,
        details=tuple(_details(report)),
    )


def _lead(report: WrittenReport) -> str:
    """The stored verdict in a sentence, unless the report begins with that very sentence."""
    fact = report.inputs.get("verdict")
    first = report.content.finding[0].text if report.content.finding else ""
    return fact.text if fact is not None and fact.text != first else ""


def _facts(evidence: Evidence) -> list[tuple[str, str]]:
    facts = evidence.inspection
    rows = [("Category", facts.get("category")), ("File", facts.get("source"))]
    if facts.get("score") is not None and facts.get("threshold") is not None:
        rows.append(("Score", f"{number(facts['score'])} (threshold {number(facts['threshold'])})"))
    rows += [
        ("Against normal parts", facts.get("p_value_in_words")),
        ("Decision", str(facts.get("decision") or "").replace("_", " ")),
        ("Defect type", facts.get("defect_type")),
        ("Model version", facts.get("model_version")),
        ("Inspected", str(facts.get("created_at") or "")[:16].replace("T", " ")),
    ]
    return [(name, clean(value, 160)) for name, value in rows if value]


def _cases(evidence: Evidence, album: PictureLoader) -> list[CaseCard]:
    return [
        CaseCard(
            anchor=f"case:{case.case_id}",
            title=f"Case {case.case_id}",
            kind=clean(f"{case.category} · {case.defect_type}", 80),
            similarity=case.similarity,
            note=clean(case.note, 160),
            picture=album.case(case.crop_path, case.case_id),
        )
        for case in evidence.similar[:MOST_CASES]
    ]


def _cause(cause: RankedCause) -> CauseBar:
    return CauseBar(
        anchor=cause.key,
        name=clean(cause.name, 120),
        words=f"{percent(cause.probability)} ({percent(cause.low)} to {percent(cause.high)})",
        counts=f"{cause.confirmed} of {cause.confirmed_all} established",
        path=" → ".join(clean(step.name, 60) for step in cause.path),
        value=100 * cause.probability,
        low=100 * cause.low,
        high=100 * cause.high,
    )


def _waterfall(shap: ShapExplanation) -> Waterfall:
    """Bars from the base to the output, each beginning where the one before it ended."""
    values = sorted(shap.values, key=lambda v: -abs(v.contribution))
    levels = [shap.base]
    for value in values:
        levels.append(levels[-1] + value.contribution)
    low, high = min(levels), max(levels)
    span = (high - low) or 1.0

    def at(level: float) -> float:
        return 2 + 96 * (level - low) / span

    bars = tuple(
        ShapBar(
            anchor=f"shap:{clean(value.feature, 60)}",
            label=clean(value.label, 80),
            value=f"{number(value.value)} {clean(value.unit, 20)}".strip()
            + f" (typically {number(value.typical)})",
            amount=f"{'+' if value.contribution >= 0 else '−'}{number(abs(value.contribution))}",
            start=at(min(before, after)),
            width=max(0.6, at(max(before, after)) - at(min(before, after))),
            raises=value.contribution >= 0,
        )
        for value, before, after in zip(values, levels, levels[1:], strict=False)
    )
    fidelity = ", ".join(f"{clean(name, 30)} {number(value)}" for name, value in shap.fidelity.items())
    return Waterfall(
        number(shap.base), number(shap.output), number(shap.score), fidelity, at(shap.base), bars
    )


def _traces(evidence: Evidence, album: PictureLoader, training: TrainingPictures | None) -> list[TraceRow]:
    rows = []
    for rank, pair in enumerate(evidence.trace[:MOST_TRACES], start=1):
        nearest = min(pair.neighbours, key=lambda n: n.distance) if pair.neighbours else None
        rows.append(
            TraceRow(
                anchor=f"trace:{rank}",
                patch=album.patch(pair.place.box, "This part"),
                normal=album.training_patch(nearest.place, training) if nearest else None,
                score=number(pair.score),
                distance=number(nearest.distance) if nearest else "",
                image=clean(nearest.place.image, 120) if nearest else "",
            )
        )
    return rows


def _origin(report: WrittenReport) -> str:
    if report.writer == "template":
        return "Written from a template, without a language model."
    return f"Written by {clean(report.model, 80)} through Groq; every statement was checked for its sources."


def _details(report: WrittenReport) -> list[tuple[str, str]]:
    rows = [("Time to write", f"{number(report.duration_ms / 1000)} s")]
    if report.prompt_tokens or report.completion_tokens:
        rows.append(("Tokens", f"{report.prompt_tokens} read, {report.completion_tokens} written"))
    if report.cost_usd is not None:
        rows.append(("Cost", f"{report.cost_usd:.6f} USD"))
    if report.prompt_sha256:
        rows.append(("Prompt SHA-256", report.prompt_sha256))
    return rows
