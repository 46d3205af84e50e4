"""What the search shows: answers and entries as cards, matched words marked, and what one could ask."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from nicegui import ui

from anomalyos.cases.tables import DefectCase
from anomalyos.knowledge.search import SearchHit, Span
from console.pages.knowledge import labels
from console.pages.knowledge.labels import defect_words
from console.services.knowledge_reader import KnowledgeReader
from console.services.knowledge_search import CLOSE, SearchAnswers, reasons
from console.services.knowledge_views import Entry, Overview
from console.texts import links, wording
from console.ui import kit
from console.ui.kit import Text, box

LONG = 280
LEAD = 60
"""Characters kept before the first match of a long text."""


@dataclass(frozen=True)
class Piece:
    text: str
    marked: bool


def pieces(text: str, spans: Iterable[tuple[int, int]]) -> list[Piece]:
    """``text`` cut at the spans (start, stop); those that overlap or lie outside are cut short."""
    found: list[Piece] = []
    at = 0
    for start, stop in sorted(spans):
        start, stop = max(start, at), min(stop, len(text))
        if stop <= start:
            continue
        if start > at:
            found.append(Piece(text[at:start], False))
        found.append(Piece(text[start:stop], True))
        at = stop
    if at < len(text):
        found.append(Piece(text[at:], False))
    return found


def excerpt(text: str, spans: Sequence[tuple[int, int]]) -> tuple[str, list[tuple[int, int]]]:
    """At most ``LONG`` characters that hold the first match, and the spans moved along."""
    if len(text) <= LONG:
        return text, list(spans)
    first = min((start for start, _ in spans), default=0)
    start = 0 if first < LONG - LEAD else text.rfind(" ", 0, first - LEAD) + 1
    stop = min(len(text), start + LONG)
    before, after = "… " if start else "", " …" if stop < len(text) else ""
    moved = [(a - start + len(before), b - start + len(before)) for a, b in spans if start <= a and b <= stop]
    return f"{before}{text[start:stop]}{after}", moved


def spans_in(where: str, spans: Iterable[Span]) -> list[tuple[int, int]]:
    return [(span.start, span.stop) for span in spans if span.where == where]


def draw_marked(text: str, spans: Iterable[tuple[int, int]], tag: str, classes: str = "") -> None:
    with box(classes, tag):
        for piece in pieces(text, spans):
            Text(piece.text, "mark" if piece.marked else "span")


SHOWN = ("defect", "cause", "remedy", "check", "step", "sign", "case")


def questions(knowing: KnowledgeReader) -> list[str]:
    """A few questions that this very knowledge base can answer, of the products with most cases."""
    graph = knowing.graph()
    asked: list[str] = []
    products = [entry for entry, _, _ in knowing.overview().products]
    for place, product in enumerate(products[:3]):
        defects = graph.defects(product.key.partition(":")[2])
        if not defects:
            continue
        defect = defects[place % len(defects)]
        name = graph.node(defect).name.lower()
        causes = list(graph.causes(defect))
        asked.append(f"Why is there a {name} on the {product.name.lower()}?")
        if causes and place < 2:
            cause = graph.node(causes[0]).name.lower()
            asked.append(f"How do I check for {cause}?" if place else f"What helps against {cause}?")
    return asked


def draw_landing(overview: Overview, asked: list[str], ask: Callable[[str], Awaitable[None]]) -> None:
    if asked:
        with box("aos-kb-try"):
            Text("Ask as you would ask a colleague", "h2", "aos-label")
            with box("aos-kb-row"):
                for question in asked:
                    _question(question, ask)
    with box("aos-kb-counts"):
        for kind in SHOWN:
            _count(kind, overview.counts.get(kind, 0))
    with kit.section("aos-kb-section", "Products"), box("aos-kb-grid"):
        for entry, defects, cases in overview.products:
            with box("aos-kb-product", "a", href=links.node_page(entry.key)):
                with box("aos-kb-product-name"):
                    Text(entry.name)
                    if entry.synthetic:
                        kit.synthetic_badge()
                Text(
                    f"{wording.plural(defects, 'defect type')} · {wording.plural(cases, 'case')}",
                    classes="aos-muted aos-small",
                )


def _question(question: str, ask: Callable[[str], Awaitable[None]]) -> ui.element:
    async def chosen() -> None:
        await ask(question)

    with kit.press("aos-kb-question", chosen) as chip:
        Text(question)
    return chip


def _count(kind: str, number: int) -> None:
    label = labels.kind_label(kind)
    with box(f"aos-kb-count tone-{label.tone}", "a", href=f"/knowledge?kind={kind}"):
        kit.icon(label.icon)
        Text(f"{number:,}", "b")
        Text(labels.MANY[kind] if number != 1 else label.word)


def draw_hit(hit: SearchHit, found: SearchAnswers, names: dict[str, str]) -> None:
    """Args: ``names`` are the products' names by category."""
    number = hit.document_id.rpartition(":")[2]
    case_id = int(number) if hit.kind == "case" else 0
    with _card(_address(hit, found), hit.kind, case_id), box("aos-kb-hit-main"):
        with box("aos-kb-hit-top"):
            draw_marked(hit.title, spans_in("title", hit.spans), "h3")
            _severity(hit.severity)
            if hit.category in found.synthetic:
                kit.synthetic_badge()
        shown, spans = excerpt(hit.text, spans_in("text", hit.spans))
        if shown:
            draw_marked(shown, spans, "p")
        with box("aos-kb-hit-foot"):
            Text(labels.kind_label(hit.kind).word)
            if hit.kind not in ("defect", "category"):
                _products(hit.categories, names)
            Text(f"{hit.date:%-d %b %Y}")
            _reasons(hit)


def draw_entry(entry: Entry) -> None:
    with _card(links.node_page(entry.key), entry.kind, 0), box("aos-kb-hit-main"):
        with box("aos-kb-hit-top"):
            Text(f"{entry.name} · {entry.owner}" if entry.owner else entry.name, "h3")
            _severity(entry.severity)
            if entry.synthetic:
                kit.synthetic_badge()
        if entry.text:
            Text(entry.text, "p")
        with box("aos-kb-hit-foot"):
            Text(labels.kind_label(entry.kind).word)


def draw_case(case: DefectCase, names: dict[str, str]) -> None:
    assert case.id is not None
    with _card(links.case_page(case.id), "case", case.id), box("aos-kb-hit-main"):
        with box("aos-kb-hit-top"):
            name = names.get(case.category) or wording.product(case.category)
            Text(f"{defect_words(case.defect_type)} · {name}", "h3")
            _severity(case.severity)
            if case.synthetic:
                kit.synthetic_badge()
        if case.note:
            shown, _ = excerpt(case.note, [])
            Text(shown, "p")
        with box("aos-kb-hit-foot"):
            Text(f"Case {case.id}")
            Text(f"{case.added_at:%-d %b %Y}")
            if case.removed_at is not None:
                Text("Removed")


def thumbnail(case_id: int, alt: str = "", classes: str = "aos-kb-thumb") -> None:
    kit.image(f"/media/case/{case_id}/thumb", alt, classes)


def _card(address: str, kind: str, case_id: int) -> ui.element:
    with box("aos-kb-hit", "a" if address else "div", href=address if address else None).mark("hit") as card:
        if case_id:
            thumbnail(case_id)
        else:
            label = labels.kind_label(kind)
            with box(f"aos-kb-tile tone-{label.tone}"):
                kit.icon(label.icon)
    return card


def _address(hit: SearchHit, found: SearchAnswers) -> str:
    if hit.kind == "case":
        return links.case_page(int(hit.document_id.rpartition(":")[2]))
    if hit.kind == "note":
        number = found.inspections.get(hit.document_id)
        return links.inspection(number) if number else ""
    return links.node_page(hit.document_id)


def _severity(severity: str) -> None:
    if severity in labels.SEVERITIES:
        kit.badge(labels.severity_label(severity))


def _products(categories: tuple[str, ...], names: dict[str, str]) -> None:
    if len(categories) > 3:
        Text(f"{len(categories)} products")
    elif categories:
        Text(", ".join(names.get(name) or wording.product(name) for name in categories))


def _reasons(hit: SearchHit) -> None:
    """Why it is here, in words; how close the meaning is stands beside it."""
    words = f": {', '.join(hit.words)}" if hit.words else ""
    with box("aos-kb-why", "span"):
        kit.icon("match_word" if hit.words else "lightbulb")
        Text(f"Found {reasons(hit)}{words}")
        if hit.similarity is not None and (hit.similarity >= CLOSE or not hit.words):
            Text(f"{max(hit.similarity, 0):.0%} alike".replace("%", " %"), classes="aos-kb-alike")
