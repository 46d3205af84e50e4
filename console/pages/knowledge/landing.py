"""The knowledge base before anything was asked: what is in it, and what one could ask."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from console.pages.knowledge import labels
from console.services.knowledge_reader import KnowledgeReader
from console.services.knowledge_views import Overview
from console.ui import kit, wording
from console.ui.kit import Text, box

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


def draw(overview: Overview, asked: list[str], ask: Callable[[str], Awaitable[None]]) -> None:
    if asked:
        with box("aos-kb-try"):
            Text("Ask as you would ask a colleague", "h2", "aos-label")
            with box("aos-kb-row"):
                for question in asked:
                    _question(question, ask)
    with box("aos-kb-counts"):
        for kind in SHOWN:
            _count(kind, overview.counts.get(kind, 0))
    with box("aos-kb-section"):
        Text("Products", "h2")
        with box("aos-kb-grid"):
            for entry, defects, cases in overview.products:
                with box("aos-kb-product", "a", href=labels.node_address(entry.key)):
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
