"""One answer of the search, and one entry of a list: the same card, all of it a link."""

from __future__ import annotations

from nicegui import ui

from anomalyos.cases.tables import DefectCase
from anomalyos.knowledge.search import SearchHit
from console.pages.knowledge import labels, marks
from console.pages.knowledge.labels import defect_words
from console.services.knowledge_search import CLOSE, Found, reasons
from console.services.knowledge_views import Entry
from console.ui import kit, wording
from console.ui.kit import Text, box


def draw_hit(hit: SearchHit, found: Found, names: dict[str, str]) -> None:
    """Args: ``names`` are the products' names by category."""
    number = hit.document_id.rpartition(":")[2]
    case_id = int(number) if hit.kind == "case" else 0
    with _card(_address(hit, found), hit.kind, case_id), box("aos-kb-hit-main"):
        with box("aos-kb-hit-top"):
            marks.draw(hit.title, marks.spans_in("title", hit.spans), "h3")
            _severity(hit.severity)
            if hit.category in found.synthetic:
                kit.synthetic_badge()
        shown, spans = marks.excerpt(hit.text, marks.spans_in("text", hit.spans))
        if shown:
            marks.draw(shown, spans, "p")
        with box("aos-kb-hit-foot"):
            Text(labels.kind_label(hit.kind).word)
            if hit.kind not in ("defect", "category"):
                _products(hit.categories, names)
            Text(f"{hit.date:%-d %b %Y}")
            _reasons(hit)


def draw_entry(entry: Entry) -> None:
    with _card(labels.node_address(entry.key), entry.kind, 0), box("aos-kb-hit-main"):
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
    with _card(labels.case_address(case.id), "case", case.id), box("aos-kb-hit-main"):
        with box("aos-kb-hit-top"):
            name = names.get(case.category) or wording.product(case.category)
            Text(f"{defect_words(case.defect_type)} · {name}", "h3")
            _severity(case.severity)
            if case.synthetic:
                kit.synthetic_badge()
        if case.note:
            shown, _ = marks.excerpt(case.note, [])
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


def _address(hit: SearchHit, found: Found) -> str:
    if hit.kind == "case":
        return labels.case_address(int(hit.document_id.rpartition(":")[2]))
    if hit.kind == "note":
        number = found.inspections.get(hit.document_id)
        return f"/inspection/{number}" if number else ""
    return labels.node_address(hit.document_id)


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
