"""``anomalyos cases``: the known defects that questions are answered with."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from anomalyos.cases import repository as case_repository
from anomalyos.cases.library import CaseLibrary, get_case_library
from anomalyos.cases.tables import DefectCase
from anomalyos.cli.output import answer, counted, counting, print_table, progress_bar, stdout_console
from anomalyos.cli.shared import CategoriesOption, JsonOption, ReasonOption, actor, ready_store
from anomalyos.core.settings import get_settings
from anomalyos.products.dataset import list_categories

app = typer.Typer(no_args_is_help=True, help="Import, list and remove known defects.")


def ready_library() -> CaseLibrary:
    return get_case_library(get_settings(), ready_store())


@app.command("import")
def import_cases(category: CategoriesOption = None, as_json: JsonOption = False) -> None:
    """Take in the labelled defects among the test images; what is known already stays."""
    library = ready_library()
    counts: dict[str, Any] = {}
    with progress_bar() as bar:
        for name in category or list_categories(get_settings()):
            counts[name] = library.import_labelled(name, counted(bar, name))
    answer(as_json, {"categories": counts}, lambda: print_counts(counts))


def print_counts(counts: dict[str, Any]) -> None:
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
        total = case_repository.count(session, category, defect_type, removed)
        rows = case_repository.list_cases(session, category, defect_type, removed, limit, offset)
    answer(as_json, {"total": total, "cases": [facts(row) for row in rows]}, lambda: print_cases(rows, total))


def facts(case: DefectCase) -> dict[str, Any]:
    return case.model_dump(mode="json", exclude={"content_key", "change"})


def print_cases(rows: Any, total: int) -> None:
    if not rows:
        stdout_console().print("No such case. Take labelled defects in with 'anomalyos cases import'.")
        return
    shown = (
        (
            str(row.id),
            row.category + (" *" if row.synthetic else ""),
            row.defect_type,
            row.source,
            f"{row.added_at:%Y-%m-%d %H:%M} {row.added_by}",
        )
        for row in rows
    )
    print_table(("id", "category", "defect", "from", "added"), shown, caption=f"{len(rows)} of {total}")


@app.command()
def remove(
    case_id: Annotated[int, typer.Argument(help="Number, as 'cases list' shows it.")],
    reason: ReasonOption = "removed by hand",
    as_json: JsonOption = False,
) -> None:
    """Take a case out of every search; its history stays."""
    ready_library().remove(case_id, actor(), reason)
    answer(as_json, {"case": case_id, "removed": True}, f"✓ Case {case_id} answers no more questions.")


@app.command()
def restore(
    case_id: Annotated[int, typer.Argument(help="Number, as 'cases list --removed' shows it.")],
    reason: ReasonOption = "restored by hand",
    as_json: JsonOption = False,
) -> None:
    """Bring a removed case back."""
    with ready_store().session() as session:
        case_repository.restore(session, case_id, actor(), reason)
    answer(as_json, {"case": case_id, "removed": False}, f"✓ Case {case_id} answers questions again.")


@app.command()
def rebuild(as_json: JsonOption = False) -> None:
    """Make the index anew, after the embedder or the index recipe changed."""
    library = ready_library()
    with counting("embedding") as progress:
        counts = library.rebuild(progress)
    left_out = f", {counts['unreadable']} unreadable ones left out" if counts["unreadable"] else ""
    words = f"✓ {counts['cases']} cases in the index, {counts['embedded']} of them embedded now{left_out}."
    answer(as_json, counts, words)
