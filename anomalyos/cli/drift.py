"""``anomalyos drift`` and ``anomalyos simulate``."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import typer

from anomalyos.cli.output import (
    EXIT_REJECTED,
    FriendlyGroup,
    answer,
    counted,
    counting,
    progress_bar,
    stdout_console,
)
from anomalyos.cli.shared import JsonOption, ready_store
from anomalyos.core.settings import get_settings
from anomalyos.drift.check import check_drift, in_words, inspected_categories
from anomalyos.drift.simulation import Injection, clear, inject_drift
from anomalyos.drift.tables import DriftCheck, DriftOutcome
from anomalyos.models.champions import Champions

simulate = typer.Typer(
    cls=FriendlyGroup,
    no_args_is_help=True,
    help="Inject records that look like drift, to try the chain; they are marked wherever they are shown.",
)


def drift(
    category: Annotated[list[str] | None, typer.Argument(help="Categories; all of them without any.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare what each model saw first with what it sees now (include/drift.yaml).

    Exit code 0 without drift, 1 with. Nothing is retrained: that is the DAG's.
    """
    settings, store = get_settings(), ready_store()
    today = date.today().isoformat()
    checks, champions = [], Champions(settings, store)
    with progress_bar() as bar:
        for name in inspected_categories(settings, store, category or []):
            show = counted(bar, f"{name}: comparing")
            checks.append(check_drift(name, settings, store, day=today, champions=champions, progress=show))
            show(1, 1)
    answer(as_json, {"checks": [_document(row) for row in checks]}, lambda: _print(checks))
    drifted = any(row.outcome == DriftOutcome.DRIFTED for row in checks)
    raise typer.Exit(EXIT_REJECTED if drifted else 0)


def _print(checks: list[DriftCheck]) -> None:
    console = stdout_console()
    if not checks:
        console.print("No model is in use yet. Build one with 'anomalyos rebuild'.")
    for row in checks:
        console.print(in_words(row), markup=False, highlight=False, soft_wrap=True)
        if row.page_path:
            page = get_settings().drift_dir / row.page_path
            console.print(f"  {page}", markup=False, highlight=False, soft_wrap=True)


def _document(row: DriftCheck) -> dict[str, Any]:
    kept = "category day outcome reference_count current_count injected_count figures page_path"
    return row.model_dump(mode="json", include=set(kept.split()))


@simulate.command("drift")
def simulate_drift(
    category: Annotated[str, typer.Argument(help="A category with a model.")],
    count: Annotated[
        int | None, typer.Option(min=1, help="Drifted records; half a window when left out.")
    ] = None,
    strength: Annotated[
        float, typer.Option(min=0, max=1, help="How far lamp and lens have gone; 0 is a quiet line.")
    ] = 1.0,
    as_json: JsonOption = False,
) -> None:
    """Inject records of the category under another lamp and out of focus."""
    settings, store = get_settings(), ready_store()
    with counting(f"{category}: injecting") as progress:
        made = inject_drift(
            category, settings, store, count=count, strength=strength, actor="cli", progress=progress
        )
    document = {"category": made.category, "clean": made.clean, "drift": made.drift}
    answer(as_json, document, lambda: _print_injected(made))


def _print_injected(made: Injection) -> None:
    console = stdout_console()
    if made.clean:
        console.print(f"Injected {made.clean} clean records first: the model had too few to compare with.")
    console.print(f"Injected {made.drift} drifted records of {made.category}.", markup=False, highlight=False)
    console.print("See them with 'anomalyos drift', or trigger the DAG drift_report. Afterwards:")
    console.print("  anomalyos simulate clear")


@simulate.command("clear")
def simulate_clear(
    category: Annotated[str | None, typer.Argument(help="Of this category only.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Remove injected records, and the reports and alarms that came of them."""
    gone = clear(get_settings(), ready_store(), actor="cli", category=category)
    answer(as_json, {"removed": gone}, f"Removed {gone} injected records." if gone else "There were none.")
