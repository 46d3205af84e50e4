"""``anomalyos cases``: the known defects that questions are answered with."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from anomalyos.cases import repository as cases
from anomalyos.cases.library import CaseLibrary, get_case_library
from anomalyos.cases.tables import DefectCase
from anomalyos.cli.models import ReasonOption, actor, ready_store
from anomalyos.cli.output import print_json, progress_bar, stdout_console
from anomalyos.core.settings import get_settings
from anomalyos.products.dataset import list_categories

app = typer.Typer(no_args_is_help=True, help="Import, list and remove known defects.")

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


def ready_library() -> CaseLibrary:
    return get_case_library(get_settings(), ready_store())


@app.command("import")
def import_cases(
    category: Annotated[list[str] | None, typer.Option(help="Only this category; may be repeated.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Take in the labelled defects among the test images; what is known already stays."""
    library = ready_library()
    counts: dict[str, Any] = {}
    with progress_bar() as bar:
        for name in category or list_categories(get_settings()):
            line = bar.add_task(name, total=None)
            counts[name] = library.import_labelled(
                name,
                lambda done, total, line=line: bar.update(line, completed=done, total=total),  # type: ignore[misc]
            )
    if as_json:
        print_json({"categories": counts})
        return
    for name, count in counts.items():
        words = ", ".join(f"{number} {what.replace('_', ' ')}" for what, number in count.items() if number)
        stdout_console().print(f"✓ {name}: {words or 'no labelled defects'}")


@app.command("list")
def list_cases(
    category: Annotated[str | None, typer.Option(help="Only this category.")] = None,
    defect_type: Annotated[str | None, typer.Option("--type", help="Only this defect type.")] = None,
    removed: Annotated[bool, typer.Option(help="The removed ones instead.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 50,
    offset: Annotated[int, typer.Option(min=0, help="Pass over so many.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Known defects, oldest first."""
    with ready_store().session(read_only=True) as session:
        total = cases.count(session, category, defect_type, removed)
        rows = cases.list_cases(session, category, defect_type, removed, limit, offset)
    if as_json:
        print_json({"total": total, "cases": [facts(row) for row in rows]})
        return
    print_cases(rows, total)


def facts(case: DefectCase) -> dict[str, Any]:
    return case.model_dump(mode="json", exclude={"content_key", "change"})


def print_cases(rows: Any, total: int) -> None:
    from rich.table import Table

    if not rows:
        stdout_console().print("No such case. Take labelled defects in with 'anomalyos cases import'.")
        return
    table = Table("id", "category", "defect", "from", "added", caption=f"{len(rows)} of {total}")
    for row in rows:
        added = row.added_at.isoformat(timespec="minutes")[:16].replace("T", " ")
        name = row.category + (" *" if row.synthetic else "")
        table.add_row(str(row.id), name, row.defect_type, row.source, f"{added} {row.added_by}")
    stdout_console().print(table)


@app.command()
def remove(
    case_id: Annotated[int, typer.Argument(help="Number, as 'cases list' shows it.")],
    reason: ReasonOption = "removed by hand",
    as_json: JsonOption = False,
) -> None:
    """Take a case out of every search; its history stays."""
    ready_library().remove(case_id, actor(), reason)
    if as_json:
        print_json({"case": case_id, "removed": True})
    else:
        stdout_console().print(f"✓ Case {case_id} answers no more questions.")


@app.command()
def restore(
    case_id: Annotated[int, typer.Argument(help="Number, as 'cases list --removed' shows it.")],
    reason: ReasonOption = "restored by hand",
    as_json: JsonOption = False,
) -> None:
    """Bring a removed case back."""
    with ready_store().session() as session:
        cases.restore(session, case_id, actor(), reason)
    if as_json:
        print_json({"case": case_id, "removed": False})
    else:
        stdout_console().print(f"✓ Case {case_id} answers questions again.")


@app.command()
def rebuild(as_json: JsonOption = False) -> None:
    """Make the index anew, after the embedder or the index recipe changed."""
    library = ready_library()
    with progress_bar() as bar:
        line = bar.add_task("embedding", total=None)
        counts = library.rebuild(lambda done, total: bar.update(line, completed=done, total=total))
    if as_json:
        print_json(counts)
        return
    left_out = f", {counts['unreadable']} unreadable ones left out" if counts["unreadable"] else ""
    stdout_console().print(
        f"✓ {counts['cases']} cases in the index, {counts['embedded']} of them embedded now{left_out}."
    )
