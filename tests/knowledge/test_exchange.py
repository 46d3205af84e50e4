from __future__ import annotations

from pathlib import Path

import pytest

from anomalyos.core.errors import AnomalyOSError
from anomalyos.db.engine import Store
from anomalyos.knowledge import edits, exchange
from anomalyos.knowledge import repository as knowledge_repository
from anomalyos.knowledge.bulk import Content
from anomalyos.knowledge.exchange import Format
from anomalyos.knowledge.graph import KnowledgeGraph, load_graph

FORMS: tuple[Format, ...] = ("yaml", "graphml")
HEAD = "format: anomalyos-knowledge-1\n"
TWO_NODES = HEAD + "nodes: [{key: 'cause:a', name: A}, {key: 'step:b', name: B}]\n"


@pytest.mark.parametrize("form", FORMS)
def test_what_goes_out_comes_in_the_same(
    graph: KnowledgeGraph, seeded_content: Content, store: Store, form: Format
) -> None:
    text = exchange.export(graph, form)
    content = exchange.parse(text.encode(), form)
    assert (content.nodes, content.edges) == (seeded_content.nodes, seeded_content.edges)
    with store.session() as session:
        exchange.import_content(session, content, actor="mia")
    with store.session() as session:
        counts = exchange.import_content(session, content, actor="mia")
        assert counts["nodes"]["unchanged"] == len(seeded_content.nodes)
        assert exchange.export(load_graph(session), form) == text


@pytest.mark.parametrize("form", FORMS)
def test_text_keeps_every_character(store: Store, form: Format) -> None:
    text = "a: 'b' \"c\" <d> & é 漢 — #e\n- f\n  g"
    with store.session() as session:
        edits.add_node(session, "check:x", name="no", actor="mia", text=text, attributes={"n": [1, None]})
        again = exchange.parse(exchange.export(load_graph(session), form).encode(), form)
    assert again.nodes == {"check:x": {"name": "no", "text": text, "attributes": {"n": [1, None]}}}


def test_an_import_is_an_edit_and_takes_nothing_away(store: Store) -> None:
    with store.session() as session:
        edits.add_node(session, "cause:a", name="Old", actor="mia")
        edits.add_node(session, "cause:other", name="Other", actor="mia")
        edits.add_node(session, "step:b", name="B", actor="mia")
        edits.remove(session, "node:step:b", expected_version=1, actor="mia")
        content = exchange.parse(TWO_NODES.encode() + b"edges: []", "yaml")
        counts = exchange.import_content(session, content, actor="ben")
        assert counts["nodes"] == {"added": 0, "updated": 2, "removed": 0, "kept": 0, "unchanged": 0}
        assert {node.key: node.name for node in load_graph(session).nodes()} == {
            "cause:a": "A",
            "cause:other": "Other",
            "step:b": "B",
        }
        newest = knowledge_repository.history(session, "node:cause:a")[-1]
        assert (newest.version, newest.actor, newest.before["name"]) == (2, "ben", "Old")


@pytest.mark.parametrize(
    ("data", "form", "told"),
    [
        ("a: [", "yaml", "not valid YAML"),
        ("a: &a [1]\nb: *a", "yaml", "aliases"),
        (
            HEAD + "nodes: [{key: 'cause:a', name: x, attributes: {d: 2026-01-01}}]\nedges: []",
            "yaml",
            "cannot be stored",
        ),
        ("[1, 2]", "yaml", "not a knowledge graph"),
        ("format: other\nnodes: []\nedges: []", "yaml", "format"),
        (HEAD + "nodes: [{key: 'cause:A', name: x}]\nedges: []", "yaml", "not the key"),
        (HEAD + "nodes: [{key: 'defect:n/c', name: x}]\nedges: []", "yaml", "severity"),
        (HEAD + "nodes: [{key: 'cause:a', name: x}, {key: 'cause:a', name: x}]\nedges: []", "yaml", "twice"),
        (TWO_NODES + "edges: [{source: 'step:b', relation: arises_in, target: 'cause:a'}]", "yaml", "joined"),
        (
            TWO_NODES + "edges: [{source: 'cause:a', relation: arises_in, target: 'step:b', weight: .nan}]",
            "yaml",
            "weight",
        ),
        ("<graphml", "graphml", "not valid GraphML"),
        ("<!DOCTYPE x [<!ENTITY a 'b'>]><graphml/>", "graphml", "document type"),
    ],
)
def test_broken_files_are_refused_with_a_reason(data: str, form: Format, told: str) -> None:
    with pytest.raises(AnomalyOSError, match=told):
        exchange.parse(data.encode(), form)


def test_an_edge_into_nowhere_and_a_file_too_large(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = TWO_NODES + "edges: [{source: 'cause:a', relation: arises_in, target: 'step:none'}]"
    with store.session() as session, pytest.raises(AnomalyOSError, match="step:none, which is nowhere"):
        exchange.import_content(session, exchange.parse(lost.encode(), "yaml"), actor="mia")
    monkeypatch.setattr(exchange, "MAX_BYTES", 10)
    with pytest.raises(AnomalyOSError, match="limit"):
        exchange.parse(TWO_NODES.encode(), "yaml")


def test_the_ending_names_the_format() -> None:
    assert exchange.format_of(Path("a/G.GraphML")) == "graphml"
    assert exchange.format_of(Path("g.yml")) == "yaml"
    with pytest.raises(AnomalyOSError, match="by its name"):
        exchange.format_of(Path("g.json"))
