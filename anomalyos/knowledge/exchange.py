"""The graph in a file and back: YAML for people, GraphML for graph tools. What goes out comes in the same."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from anomalyos.core.errors import AnomalyOSError
from anomalyos.knowledge import bulk, grammar
from anomalyos.knowledge import repository as knowledge_repository
from anomalyos.knowledge.graph import KnowledgeGraph

if TYPE_CHECKING:
    from sqlmodel import Session

Format = Literal["yaml", "graphml"]
MARK = "anomalyos-knowledge-1"
MAX_BYTES = 32 * 2**20
_SUFFIXES: dict[str, Format] = {".yaml": "yaml", ".yml": "yaml", ".graphml": "graphml", ".xml": "graphml"}


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FileNode(Strict):
    key: str
    name: str = Field(min_length=1, max_length=200)
    text: str = Field(default="", max_length=2000)
    attributes: dict[str, Any] = Field(default_factory=dict)


class FileEdge(Strict):
    source: str
    relation: str
    target: str
    weight: float = 1.0


class Document(Strict):
    """A whole graph as a file holds it."""

    format: Literal["anomalyos-knowledge-1"]
    nodes: list[FileNode]
    edges: list[FileEdge]


def format_of(path: Path) -> Format:
    """By the file's ending. Raises AnomalyOSError for any other."""
    if path.suffix.lower() not in _SUFFIXES:
        raise AnomalyOSError(
            f"{path.name} is neither YAML nor GraphML by its name.", "End it in .yaml or .graphml."
        )
    return _SUFFIXES[path.suffix.lower()]


def export(graph: KnowledgeGraph, form: Format) -> str:
    """The live graph as text; the same graph always gives the same text."""
    return _to_yaml(graph) if form == "yaml" else _to_graphml(graph)


def parse(data: bytes, form: Format) -> bulk.Content:
    """Nodes and edges of a file.

    Raises:
        AnomalyOSError: too large, not of the format, or a graph that breaks the rules; the message names
            the place.
    """
    if len(data) > MAX_BYTES:
        raise AnomalyOSError(
            f"The file has {len(data):,} bytes; {MAX_BYTES:,} is the limit.", "Split it into parts."
        )
    document = _read_yaml(data) if form == "yaml" else _read_graphml(data)
    try:
        checked = Document.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise _refused(f"{place}: {first['msg']}") from error
    return _to_content(checked)


def import_content(session: Session, content: bulk.Content, *, actor: str) -> dict[str, dict[str, int]]:
    """Write a parsed file into the graph as edits by ``actor``: what differs is changed, what is missing or
    removed is added, and nothing is taken away.

    Raises:
        Conflict: somebody edited the same row at the same moment.
        AnomalyOSError: an edge needs a node that is neither in the file nor in the graph.
    """
    known = {row.key for row in knowledge_repository.all_nodes(session) if row.removed_at is None} | set(
        content.nodes
    )
    for edge in content.edges:
        lost = next((key for key in (edge[0], edge[2]) if key not in known), None)
        if lost is not None:
            raise _refused(f"the edge {' '.join(edge)} needs {lost}, which is nowhere")
    return bulk.apply(session, content, origin=knowledge_repository.PERSON, actor=actor, reason="import")


def _to_yaml(graph: KnowledgeGraph) -> str:
    import yaml

    nodes: list[dict[str, Any]] = []
    for node in graph.nodes():
        facts: dict[str, Any] = {"key": node.key, "name": node.name, "text": node.text}
        nodes.append({**facts, "attributes": node.attributes} if node.attributes else facts)
    edges = [
        {"source": source, "relation": relation, "target": target, "weight": facts["weight"]}
        for source, relation, target, facts in graph.edges()
    ]
    document = {"format": MARK, "nodes": nodes, "edges": edges}
    return str(yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110))


def _to_graphml(graph: KnowledgeGraph) -> str:
    import networkx

    # GraphML knows no nested values, and no order: attributes travel as JSON, nodes and edges sorted
    plain = networkx.MultiDiGraph(format=MARK)
    for node in graph.nodes():
        attributes = json.dumps(node.attributes, sort_keys=True, ensure_ascii=False)
        plain.add_node(node.key, kind=node.kind, name=node.name, text=node.text, attributes=attributes)
    for source, relation, target, facts in graph.edges():
        plain.add_edge(source, target, relation=relation, weight=float(facts["weight"]))
    buffer = io.BytesIO()
    networkx.write_graphml_xml(plain, buffer, encoding="utf-8", prettyprint=True)
    return buffer.getvalue().decode("utf-8")


def _read_yaml(data: bytes) -> Any:
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        # a few lines of aliases can stand for a billion values
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(data, Loader=loader)):
            raise _refused("aliases are not allowed in it")
        return yaml.load(data.decode("utf-8"), Loader=loader)  # noqa: S506 - a safe loader
    except (UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise _refused(f"not valid YAML: {error}") from error


def _read_graphml(data: bytes) -> Any:
    import networkx

    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise _refused("a document type is not allowed in it")
    try:
        graph = networkx.parse_graphml(data.decode("utf-8"), force_multigraph=True)
        nodes = [
            {
                "key": key,
                "name": facts.get("name", ""),
                "text": facts.get("text", ""),
                "attributes": json.loads(facts.get("attributes", "{}")),
            }
            for key, facts in graph.nodes(data=True)
        ]
        edges = [
            {"source": source, "relation": facts.get("relation", ""), "target": target}
            | {"weight": facts.get("weight", 1.0)}
            for source, target, facts in graph.edges(data=True)
        ]
    except (networkx.NetworkXError, ValueError, SyntaxError, KeyError, TypeError) as error:
        raise _refused(f"not valid GraphML: {error}") from error
    return {"format": graph.graph.get("format"), "nodes": nodes, "edges": edges}


def _to_content(document: Document) -> bulk.Content:
    content = bulk.Content()
    for node in document.nodes:
        grammar.check_attributes(grammar.check_key(node.key), node.attributes)
        if node.key in content.nodes:
            raise _refused(f"{node.key} stands in it twice")
        content.nodes[node.key] = {"name": node.name, "text": node.text, "attributes": node.attributes}
    for edge in document.edges:
        grammar.check_edge(edge.source, edge.relation, edge.target)
        key = (edge.source, edge.relation, edge.target)
        if key in content.edges:
            raise _refused(f"the edge {' '.join(key)} stands in it twice")
        content.edges[key] = grammar.check_weight(edge.weight)
    return content


def _refused(what: str) -> AnomalyOSError:
    return AnomalyOSError(
        f"The file is not a knowledge graph: {what}.", "Correct the file; nothing was changed."
    )
