"""``anomalyos data check`` and ``anomalyos data quarantine``: what is learned from, and what is set aside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anomalyos.cli.output import (
    EXIT_COULD_NOT_RUN,
    EXIT_REJECTED,
    FriendlyGroup,
    answer,
    counted,
    print_table,
    progress_bar,
    stdout_console,
)
from anomalyos.cli.shared import JsonOption, ready_store
from anomalyos.core.settings import get_settings
from anomalyos.db.engine import Store
from anomalyos.inspection.delivery_check import check_delivery
from anomalyos.inspection.inbox import scan_inbox
from anomalyos.inspection.nights import check_day
from anomalyos.products.selection import choose_categories
from anomalyos.quality import data_checks, quarantine
from anomalyos.quality.data_check import check_category
from anomalyos.quality.tables import CheckOutcome, DataCheck, QuarantinedImage, QuarantineState
from anomalyos.quality.words import STATES, outcome_words, result_words

if TYPE_CHECKING:
    from rich.progress import Progress

NoteOption = Annotated[str, typer.Option(help="Why; kept in the audit log.")]
ImageArgument = Annotated[int, typer.Argument(help="As `list` shows it.")]
Found = list[tuple[DataCheck, list[QuarantinedImage]]]
"""Checks, each with the images it set aside."""
quarantine_app = typer.Typer(
    cls=FriendlyGroup, no_args_is_help=True, help="Training images set aside: list, release, keep out."
)


def register(app: typer.Typer) -> None:
    app.command("check")(check)
    app.add_typer(quarantine_app, name="quarantine")


def check(
    category: Annotated[list[str] | None, typer.Argument(help="Categories; all of them without any.")] = None,
    night: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="Check this night's delivery instead.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check images against their suite in include/expectations.

    Exit code 0 when all are used, 1 when some are set aside, 2 when a batch is stopped or a check failed.
    """
    store = ready_store()
    with progress_bar() as bar:
        found = _check_night(store, night, category, bar) if night else _check_learning(store, category, bar)
    document = {"checks": [_as_document(row, out) for row, out in found]}
    answer(as_json, document, lambda: _print_checks(found, store))
    raise typer.Exit(max((_exit_code(row, out) for row, out in found), default=0))


def _check_learning(store: Store, wanted: list[str] | None, bar: Progress) -> Found:
    settings = get_settings()
    found = []
    for name in choose_categories(settings, wanted or []):
        done = check_category(name, settings, store, progress=counted(bar, f"{name}: checking"))
        found.append((done.row, list(done.out)))
    return found


def _check_night(store: Store, day: str, wanted: list[str] | None, bar: Progress) -> Found:
    settings = get_settings()
    files = scan_inbox(settings.inbox_dir, check_day(day))
    found: Found = []
    for category in sorted({file.category or "" for file in files}):
        if wanted and category not in wanted:
            continue
        show = counted(bar, f"{category or 'to be routed'}: checking")
        own = [file.path for file in files if (file.category or "") == category]
        found.append((check_delivery(settings, store, day, category or None, own, show), []))
    return found


def _exit_code(row: DataCheck, out: list[QuarantinedImage]) -> int:
    if row.outcome == CheckOutcome.FAILED or data_checks.stops(row):
        return EXIT_COULD_NOT_RUN
    return EXIT_REJECTED if out else 0


def _as_document(row: DataCheck, out: list[QuarantinedImage]) -> dict[str, Any]:
    return {
        "check": row.id,
        "category": row.category,
        "batch": row.batch_key,
        "outcome": row.outcome,
        "reason": row.reason,
        "released_by": row.released_by,
        "images": row.images,
        "results": row.results,
        "findings": row.findings,
        "set_aside": [_image_document(image) for image in out],
        "page": row.page_path,
    }


def _print_checks(found: Found, store: Store) -> None:
    from rich.markup import escape

    terminal = stdout_console()
    if not found:
        terminal.print("There is nothing to check.")
    for row, out in found:
        words = outcome_words(row.outcome, row.released_by)
        name = row.category or "files that wait for the router"
        terminal.print(f"[bold]{name}[/], {row.images} images. {words}", highlight=False)
        if row.reason:
            terminal.print(f"  {escape(row.reason)}", highlight=False)
        for result in row.results:
            if not result["passed"]:
                said = result_words(result)
                line = f"  {said['name']}: {said['words']} ({said['section']})"
                terminal.print(line, highlight=False)
        for image in out:
            text = f"  set aside {image.id}: {escape(image.file)}. {escape(image.reason)}"
            terminal.print(text, highlight=False, soft_wrap=True)
        if row.page_path:
            page = f"  Page: {store.objects.absolute(row.page_path)}"
            terminal.print(page, highlight=False, soft_wrap=True)


@quarantine_app.command("list")
def list_command(
    category: Annotated[str, typer.Option(help="Only of this category.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Released and cleared ones too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the training images that are set aside, with the reason."""
    states = () if everything else quarantine.OUT
    with ready_store().session(read_only=True) as session:
        rows = quarantine.listed(session, category, states=states, limit=None)
    answer(as_json, [_image_document(row) for row in rows], lambda: _print_images(rows))


def _print_images(rows: Sequence[QuarantinedImage]) -> None:
    from rich.markup import escape

    if not rows:
        stdout_console().print("Nothing is set aside.")
        return
    shown = (
        (str(row.id), row.category, escape(row.file), STATES[QuarantineState(row.state)], escape(row.reason))
        for row in rows
    )
    print_table(("id", "category", "file", "state", "reason"), shown)


@quarantine_app.command("release")
def release_command(image_id: ImageArgument, note: NoteOption = "") -> None:
    """Let the next rebuild learn from an image again."""
    with ready_store().session() as session:
        row = quarantine.release(session, image_id, actor="cli", note=note)
    stdout_console().print(f"Released: {row.category}, {row.file}.", markup=False, highlight=False)


@quarantine_app.command("keep-out")
def keep_out_command(image_id: ImageArgument, note: NoteOption = "") -> None:
    """Keep an image out of learning for good, whatever later checks find."""
    with ready_store().session() as session:
        row = quarantine.keep_out(session, image_id, actor="cli", note=note)
    stdout_console().print(f"Kept out: {row.category}, {row.file}.", markup=False, highlight=False)


@quarantine_app.command("let-go-on")
def let_go_on_command(
    check_id: Annotated[
        int, typer.Argument(help="Of the check that stopped, as `data check --json` shows it.")
    ],
    note: NoteOption,
) -> None:
    """Let a batch go on that its suite stopped."""
    with ready_store().session() as session:
        row = data_checks.let_go_on(session, check_id, actor="cli", note=note)
    name = row.category or "files that wait for the router"
    stdout_console().print(f"{name} may go on; run it again.", markup=False, highlight=False)


def _image_document(row: QuarantinedImage) -> dict[str, Any]:
    return row.model_dump(
        include={"id", "category", "file", "sha256", "rules", "reason", "state", "decided_by", "note"}
    )
