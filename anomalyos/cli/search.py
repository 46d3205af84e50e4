"""``anomalyos search`` and ``anomalyos evaluate-search``: plain questions, and how well they are answered."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from anomalyos.cli.output import answer, counting, print_table, progress_bar, stdout_console
from anomalyos.cli.shared import JsonOption, ready_store
from anomalyos.core.errors import NotFound
from anomalyos.core.settings import PROJECT_ROOT, get_settings
from anomalyos.knowledge.search import SearchHit, get_search
from anomalyos.knowledge.search.evaluation import evaluate_on_seeds

QUESTIONS = PROJECT_ROOT / "tests" / "benchmarks" / "questions.yaml"
DAYS = ["%Y-%m-%d"]


def search(
    words: Annotated[list[str], typer.Argument(help="A question, as you would ask a colleague.")],
    category: Annotated[str | None, typer.Option(help="Only what concerns this category.")] = None,
    severity: Annotated[str | None, typer.Option(help="cosmetic, functional or critical.")] = None,
    since: Annotated[
        datetime | None, typer.Option(formats=DAYS, help="Changed on this day or later.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=DAYS, help="Changed on this day or earlier.")
    ] = None,
    kind: Annotated[
        list[str] | None, typer.Option(help="cause, remedy, check, defect, case, note ...; may be repeated.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many answers.")] = 10,
    as_json: JsonOption = False,
) -> None:
    """Search causes, remedies, checks, known defects and reviewers' notes in plain language."""
    engine = get_search(get_settings(), ready_store())
    with progress_bar() as bar:
        line = bar.add_task("reading", total=None)
        known = engine.prepare(lambda done, total: bar.update(line, completed=done, total=total))
        bar.update(line, visible=False)
    if known == 0:
        raise NotFound("There is nothing to search yet.", "Run 'anomalyos knowledge seed' first.")
    query = " ".join(words)
    hits = engine.search(
        query,
        kinds=kind,
        category=category,
        severity=severity,
        since=since,
        until=until + timedelta(days=1) - timedelta(microseconds=1) if until else None,
        k=limit,
    )
    answer(as_json, {"query": query, "hits": [to_json(hit) for hit in hits]}, lambda: print_hits(hits))


def to_json(hit: SearchHit) -> dict[str, Any]:
    return asdict(hit) | {"date": hit.date.isoformat()}


def print_hits(hits: list[SearchHit]) -> None:
    from rich.markup import escape

    if not hits:
        stdout_console().print("Nothing found. Try other words, or fewer filters.")
        return
    shown = []
    for hit in hits:
        about = f"[bold]{escape(hit.title)}[/]\n{escape(hit.text)}\n[dim]{escape(hit.document_id)}[/]"
        shown.append((hit.kind, about, escape(hit.why)))
    print_table(("", "what", "why"), shown, show_lines=True)


def evaluate_search(
    questions: Annotated[Path, typer.Option(help="Judged questions (YAML).")] = QUESTIONS,
    as_json: JsonOption = False,
) -> None:
    """Measure search on judged questions: hybrid, words alone, meaning alone, without mending."""
    with counting("embedding") as progress:
        figures = evaluate_on_seeds(questions, get_settings(), progress)
    answer(as_json, figures, lambda: print_figures(figures))


def print_figures(figures: dict[str, Any]) -> None:
    keys = ("precision_5", "precision_5_of_possible", "mrr", "ndcg_5", "recall_5")
    print_table(
        ("way to search", "P@5", "of possible", "MRR", "nDCG@5", "recall@5"),
        ((name, *(f"{row[key]:.3f}" for key in keys)) for name, row in figures["ways"].items()),
        caption=f"{figures['questions']} questions over {figures['documents']} documents · of possible: P@5 "
        "divided by the most that the number of relevant documents allows",
    )
