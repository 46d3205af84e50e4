"""The real seeds as a graph, without a database."""

from __future__ import annotations

import pytest

from anomalyos.core.settings import PROJECT_ROOT
from anomalyos.knowledge.bulk import Content
from anomalyos.knowledge.grammar import kind_of
from anomalyos.knowledge.graph import KnowledgeGraph
from anomalyos.knowledge.seeds import load_seeds, to_content
from anomalyos.knowledge.tables import KnowledgeEdge, KnowledgeNode


def as_graph(content: Content) -> KnowledgeGraph:
    nodes = [KnowledgeNode(key=k, kind=kind_of(k), origin="seed", **v) for k, v in content.nodes.items()]
    edges = [
        KnowledgeEdge(source=s, relation=r, target=t, weight=w, origin="seed")
        for (s, r, t), w in content.edges.items()
    ]
    return KnowledgeGraph(nodes, edges)


@pytest.fixture(scope="session")
def seeded_content() -> Content:
    return to_content(load_seeds(PROJECT_ROOT / "include/knowledge"))


@pytest.fixture(scope="session")
def graph(seeded_content: Content) -> KnowledgeGraph:
    return as_graph(seeded_content)
