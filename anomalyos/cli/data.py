"""``anomalyos data``: bring images in, see what is there, draw samples, check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from anomalyos.cli import data_check
from anomalyos.cli.output import (
    EXIT_COULD_NOT_RUN,
    EXIT_REJECTED,
    FriendlyGroup,
    answer,
    counting,
    print_json,
    print_table,
    stdout_console,
)
from anomalyos.cli.shared import CategoriesOption, JsonOption
from anomalyos.core.errors import NotFound
from anomalyos.core.settings import get_settings
from anomalyos.products.dataset import GOOD, list_categories, load_category
from anomalyos.products.importer import ImportReport, import_dataset
from anomalyos.products.sample import CATEGORIES, write_dataset

app = typer.Typer(
    cls=FriendlyGroup,
    no_args_is_help=True,
    help="Import images, list categories, draw samples, check what is learned from.",
)
data_check.register(app)


@app.command("import")
def import_command(
    src: Annotated[Path, typer.Argument(help="Category folder, folder of categories, or good images.")],
    name: Annotated[str | None, typer.Option(help="Name of the category.")] = None,
    groups: Annotated[Path | None, typer.Option(help="CSV with file,group: pictures of one part.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Check every file of SRC and import what is sound; safe to repeat.

    Exit code 1 when files were rejected, 2 when no category was imported.
    """
    with counting("Checking and importing") as progress:
        report = import_dataset(src, get_settings(), name=name, groups=groups, progress=progress)
    if as_json:
        print_json(_as_document(report))
    else:
        _print_report(report)
    if not report.categories:
        raise typer.Exit(EXIT_COULD_NOT_RUN)
    if report.rejected:
        raise typer.Exit(EXIT_REJECTED)


@app.command("list")
def list_command(as_json: JsonOption = False) -> None:
    """Show each category with its number of images."""
    rows = [_describe(name) for name in list_categories(get_settings())]
    answer(as_json, rows, lambda: _print_categories(rows))


def _print_categories(rows: list[dict[str, Any]]) -> None:
    if not rows:
        stdout_console().print(
            "No categories yet. Import one with `anomalyos data import FOLDER`, "
            "or draw some with `anomalyos data sample`."
        )
        return
    from rich.table import Column

    counts = ("train", "test_good", "test_defective", "masks", "groups")
    print_table(
        (Column("category", no_wrap=True), *(key.replace("_", " ") for key in counts), "images are"),
        (
            (row["category"], *(str(row[key]) for key in counts), "drawn" if row["synthetic"] else "real")
            for row in rows
        ),
    )


@app.command("sample")
def sample_command(category: CategoriesOption = None, as_json: JsonOption = False) -> None:
    """Draw the sample categories, so that everything can be tried without a camera."""
    settings = get_settings()
    names = tuple(dict.fromkeys(category)) if category else CATEGORIES
    unknown = [name for name in names if name not in CATEGORIES]
    if unknown:
        raise NotFound(
            f"There is no sample category {', '.join(unknown)}.", f"There are: {', '.join(CATEGORIES)}."
        )
    with counting("Drawing samples") as progress:
        write_dataset(settings.data_dir, categories=names, progress=progress)
    rows = [_describe(name) for name in names]
    images = sum(row["train"] + row["test_good"] + row["test_defective"] for row in rows)
    words = f"{len(rows)} sample categories with {images} drawn images in {settings.data_dir}."
    answer(as_json, rows, words)


def _describe(name: str) -> dict[str, Any]:
    data = load_category(get_settings(), name)
    good = sum(sample.defect == GOOD for sample in data.test)
    return {
        "category": name,
        "train": len(data.train),
        "test_good": good,
        "test_defective": len(data.test) - good,
        "defects": data.defects,
        "masks": sum(sample.mask_path is not None for sample in data.test),
        "groups": len(set(data.groups.values())),
        "synthetic": data.synthetic,
    }


def _as_document(report: ImportReport) -> dict[str, Any]:
    return {
        "categories": [_describe(name) for name in report.categories],
        "accepted": report.accepted,
        "skipped_existing": report.skipped_existing,
        "rejected": [finding._asdict() for finding in report.rejected],
        "warnings": [finding._asdict() for finding in report.warnings],
    }


def _print_report(report: ImportReport) -> None:
    from rich.markup import escape

    console = stdout_console()
    console.print(f"Imported: {', '.join(report.categories) or 'nothing'}.", highlight=False)
    console.print(
        f"{report.accepted} files added, {report.skipped_existing} were there already, "
        f"{len(report.rejected)} rejected, {len(report.warnings)} warnings.",
        highlight=False,
    )
    for colour, findings in (("red", report.rejected), ("yellow", report.warnings)):
        for finding in findings:
            text = f"[{colour}]{finding.code}[/] {escape(finding.file)}: {escape(finding.reason)}"
            console.print(text, highlight=False, soft_wrap=True)
