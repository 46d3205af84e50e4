"""``anomalyos knowledge``: the graph of defects, their causes and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from anomalyos.cli.output import answer, stdout_console
from anomalyos.cli.shared import JsonOption, actor, ready_store
from anomalyos.core.errors import AnomalyOSError, NotFound
from anomalyos.core.settings import get_settings
from anomalyos.db.rows import stored_id
from anomalyos.knowledge import cause_evidence, exchange
from anomalyos.knowledge import repository as knowledge_repository
from anomalyos.knowledge.causes import RankedCause
from anomalyos.knowledge.edits import confirm_cause
from anomalyos.knowledge.grammar import defect_key
from anomalyos.knowledge.graph import KnowledgeGraph, load_graph
from anomalyos.knowledge.likelihood import root_causes, root_causes_for_case
from anomalyos.knowledge.seeds import ensure_seeded
from anomalyos.knowledge.tables import NodeKind

app = typer.Typer(no_args_is_help=True, help="Defects, their root causes, remedies and checks.")


@app.command()
def seed(as_json: JsonOption = False) -> None:
    """Bring the graph up to include/knowledge; what people edited stays as it is."""
    print_counts(ensure_seeded(ready_store(), get_settings()), as_json)


@app.command()
def show(
    key: Annotated[
        str, typer.Argument(help="A node (cause:worn-cutting-tool) or a kind (cause); all kinds without.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """One node with all it is joined to, or a list of nodes."""
    with ready_store().session(read_only=True) as session:
        graph = load_graph(session)
        if ":" in key:
            node = describe(graph, key)
            node["history"] = [
                {"version": r.version, "by": r.actor, "at": r.created_at.isoformat(), "reason": r.reason}
                for r in knowledge_repository.history(session, knowledge_repository.node_subject(key))
            ]
            answer(as_json, node, lambda: print_node(node))
            return
    rows = list_nodes(graph, key)
    answer(as_json, {"nodes": rows}, lambda: print_nodes(rows))


def print_nodes(rows: list[dict[str, Any]]) -> None:
    terminal = stdout_console()
    if not rows:
        terminal.print("The graph is empty. Fill it with 'anomalyos knowledge seed'.")
    for row in rows:
        terminal.print(f"{row['key']}  {row['name']}", markup=False, highlight=False)


@app.command()
def export(
    path: Annotated[Path, typer.Argument(help="Ends in .yaml or .graphml.")], as_json: JsonOption = False
) -> None:
    """Write the whole graph to a file."""
    form = exchange.format_of(path)
    with ready_store().session(read_only=True) as session:
        graph = load_graph(session)
    try:
        path.write_text(exchange.export(graph, form), encoding="utf-8")
    except OSError as error:
        raise AnomalyOSError(
            f"{path} cannot be written: {error.strerror}.", "Choose another place."
        ) from error
    nodes, edges = len(graph), len(graph.edges())
    document = {"path": str(path), "format": form, "nodes": nodes, "edges": edges}
    answer(as_json, document, f"✓ {nodes} nodes and {edges} edges are in {path}.")


@app.command(name="import")
def import_file(
    path: Annotated[Path, typer.Argument(help="A file that 'export' wrote, edited or not.")],
    as_json: JsonOption = False,
) -> None:
    """Take a file's nodes and edges into the graph; nothing is removed."""
    form = exchange.format_of(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise AnomalyOSError(f"{path} cannot be read: {error.strerror}.", "Name another file.") from error
    content = exchange.parse(data, form)
    with ready_store().session() as session:
        counts = exchange.import_content(session, content, actor=actor())
    print_counts(counts, as_json)


@app.command()
def causes(
    category: Annotated[str, typer.Argument(help="The product.")],
    defect: Annotated[str, typer.Argument(help="The defect type.")],
    k: Annotated[int, typer.Option("-k", min=1, help="How many causes.")] = 5,
    as_json: JsonOption = False,
) -> None:
    """The likeliest root causes of a defect, with what to do about them."""
    key = defect_key(category, defect)
    with ready_store().session(read_only=True) as session:
        graph = load_graph(session)
        ranked = root_causes(graph, session, [(key, 1.0)], k)
    if not ranked:
        raise NotFound(
            f"The knowledge graph knows nothing of {category!r}.",
            "Run 'anomalyos knowledge seed', or add it.",
        )
    known = key in graph
    document = {"defect": key, "known": known, "causes": [cause.model_dump() for cause in ranked]}
    answer(as_json, document, lambda: print_causes(ranked, key, known=known))


@app.command()
def confirm(
    case_id: Annotated[int, typer.Argument(help="The case, as 'anomalyos cases list' shows it.")],
    cause: Annotated[str, typer.Argument(help="What caused it: cause:worn-cutting-tool.")],
    note: Annotated[str, typer.Option(help="How it was found out.")] = "",
    add: Annotated[
        bool, typer.Option("--add", help="List the cause under the defect type if it is not.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Record what caused a case; the likelihoods of its defect type follow."""
    with ready_store().session() as session:
        confirm_cause(session, case_id, cause, actor(), note, add_missing=add)
        session.flush()
        ranked = root_causes_for_case(session, case_id, k=100)
    now = next(found for found in ranked if found.key == cause)
    words = f"✓ {now.name}: {now.probability:.0%} likely now, {now.confirmed} of {now.confirmed_all} cases."
    answer(as_json, {"case": case_id, "cause": now.model_dump()}, words)


@app.command()
def withdraw(
    case_id: Annotated[int, typer.Argument(help="The case whose cause turned out to be another.")],
    as_json: JsonOption = False,
) -> None:
    """Take back what was recorded as the cause of a case."""
    with ready_store().session() as session:
        standing = cause_evidence.standing(session, case_id)
        if standing is None:
            raise NotFound(f"No cause of case {case_id} is on record.", "See 'anomalyos cases list'.")
        cause_evidence.withdraw(session, stored_id(standing.id), actor())
    answer(as_json, {"case": case_id, "cause": None}, f"✓ The cause of case {case_id} is open again.")


def list_nodes(graph: KnowledgeGraph, kind: str) -> list[dict[str, Any]]:
    """Raises AnomalyOSError for a kind that does not exist."""
    if kind and kind not in set(NodeKind):
        raise AnomalyOSError(f"{kind!r} is not a kind of node.", f"Choose one of: {', '.join(NodeKind)}.")
    return [{"key": node.key, "kind": node.kind, "name": node.name} for node in graph.nodes(kind or None)]


def describe(graph: KnowledgeGraph, key: str) -> dict[str, Any]:
    node = graph.node(key)
    edges = graph.edges()
    return {
        **vars(node),
        "leads_to": [
            {"relation": r, "key": t, "name": graph.node(t).name, "weight": facts["weight"]}
            for s, r, t, facts in edges
            if s == key
        ],
        "comes_from": [
            {"relation": r, "key": s, "name": graph.node(s).name} for s, r, t, _ in edges if t == key
        ],
    }


def print_node(node: dict[str, Any]) -> None:
    terminal = stdout_console()
    lines = [f"{node['name']}  ({node['key']}, version {node['version']} by {node['origin']})", node["text"]]
    lines += [f"{name}: {value}" for name, value in node["attributes"].items()]
    for edge in node["leads_to"]:
        weight = f", prior {edge['weight']:g}" if edge["relation"] == "caused_by" else ""
        lines.append(f"  {edge['relation'].replace('_', ' ')}  {edge['name']}  ({edge['key']}{weight})")
    lines += [f"  from  {edge['name']}  ({edge['key']})" for edge in node["comes_from"]]
    terminal.print("\n".join(lines), markup=False, highlight=False)


def print_causes(ranked: tuple[RankedCause, ...], key: str, *, known: bool) -> None:
    terminal = stdout_console()
    if not known:
        terminal.print(f"The graph does not list {key}: these are causes of its category's defects.\n")
    for place, cause in enumerate(ranked, 1):
        share = f"{cause.probability:.0%} (90 % interval {cause.low:.0%} to {cause.high:.0%})"
        counted = f"{cause.confirmed} of {cause.confirmed_all} established cases"
        lines = [f"{place}. {cause.name}: {share}, prior {cause.prior:.0%}, {counted}", f"   {cause.text}"]
        lines += [f"   do: {item.name}. {item.text}" for item in cause.remedies]
        lines += [f"   check: {item.name}. {item.text}" for item in cause.checks]
        terminal.print("\n".join(lines), markup=False, highlight=False)


def print_counts(counts: dict[str, dict[str, int]], as_json: bool) -> None:
    def show() -> None:
        for what, numbers in counts.items():
            told = ", ".join(f"{number} {name}" for name, number in numbers.items() if number)
            stdout_console().print(f"✓ {what}: {told or 'none'}", highlight=False)

    answer(as_json, counts, show)
