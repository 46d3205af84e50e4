"""``anomalyos classifier``: learn what defects are called, and see which version gives the names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from anomalyos.classifier import versions as classifier_versions
from anomalyos.classifier.tables import ClassifierVersion
from anomalyos.classifier.train import train_classifier
from anomalyos.cli.models import gate_words
from anomalyos.cli.output import answer, figure, print_table, progress_bar, stdout_console
from anomalyos.cli.shared import JsonOption, actor, ready_store
from anomalyos.core.settings import get_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.progress import Progress

app = typer.Typer(no_args_is_help=True, help="Train the defect classifier, and see which one is in use.")

STAGE_WORDS = {"features": "computing features", "search": "trying settings", "fit": "fitting on everything"}
STEPS = 1000
"""A stage is shown in thousandths: what it counts differs."""


@app.command()
def train(
    category: Annotated[str, typer.Argument(help="The product.")],
    trials: Annotated[int, typer.Option(min=1, max=1000, help="Settings to try.")] = 10,
    as_json: JsonOption = False,
) -> None:
    """Learn the names of confirmed defects; killed and run again, it goes on where it stopped."""
    store = ready_store()
    with progress_bar() as bar:
        line = stage_line(category, bar)
        result = train_classifier(
            category, get_settings(), store, trials=trials, actor=actor(), progress=line
        )
    answer(as_json, result, lambda: print_result(result))


def stage_line(category: str, bar: Progress) -> Callable[[str, float], None]:
    """A progress callback that shows all stages on one line."""
    line = bar.add_task(f"{category}: starting", total=STEPS)

    def show(stage: str, share: float) -> None:
        bar.update(line, description=f"{category}: {STAGE_WORDS[stage]}", completed=round(share * STEPS))

    return show


def print_result(result: dict[str, Any]) -> None:
    terminal, metrics = stdout_console(), result["metrics"]
    shown = (
        (name, str(row["cases"]), *(figure(row[key], 3) for key in ("precision", "recall", "f1")))
        for name, row in metrics["by_class"].items()
    )
    print_table(("defect", "cases", "precision", "recall", "F1"), shown)
    for name, why in result["left_out"].items():
        terminal.print(f"Left out: {name}, {why}.", highlight=False)
    made = "" if result["created"] else " (unchanged)"
    state = "in use now" if result["promoted"] else "not put in use" if result["created"] else "as before"
    terminal.print(
        f"{result['category']} v{result['version']}{made}: {state}. {result['reason']} "
        f"It names {metrics['coverage']:.0%} of defects{named_right(metrics)}; of the rest it says that it "
        f"does not know. {result['trials']} trials, {result['seconds']:.0f} s.",
        highlight=False,
    )
    if result["tracking"].get("error"):
        terminal.print(result["tracking"]["error"], highlight=False)


def named_right(metrics: dict[str, Any]) -> str:
    share = metrics["accuracy_of_named"]
    return "" if share is None else f", {share:.0%} of them rightly"


@app.command()
def status(
    category: Annotated[str | None, typer.Argument(help="Only this product.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Every version, newest first, the one in use marked."""
    with ready_store().session(read_only=True) as session:
        versions = classifier_versions.list_versions(session, category)
        used = {
            row.id
            for row in (
                classifier_versions.in_use(session, name) for name in {row.category for row in versions}
            )
            if row is not None
        }
    rows = [facts(version, version.id in used) for version in versions]
    answer(as_json, {"classifiers": rows}, lambda: print_status(rows))


def facts(version: ClassifierVersion, used: bool) -> dict[str, Any]:
    metrics = version.metrics
    return {
        "category": version.category,
        "version": version.version,
        "in_use": used,
        "classes": metrics["classes"],
        "macro_f1": metrics["macro_f1"],
        "coverage": metrics["coverage"],
        "accuracy_of_named": metrics["accuracy_of_named"],
        "cases": metrics["cases"],
        "trials": len(metrics["trials"]),
        "gate": {"passed": version.gate_passed, "reason": version.gate_reason},
        "created_at": version.created_at.isoformat(timespec="seconds"),
        "bundle_sha256": version.bundle_sha256,
    }


def print_status(rows: list[dict[str, Any]]) -> None:
    if not rows:
        stdout_console().print("No classifier yet. Train one with 'anomalyos classifier train PRODUCT'.")
        return
    shown = (
        (
            row["category"],
            f"v{row['version']}",
            "● in use" if row["in_use"] else "",
            ", ".join(row["classes"]),
            "{value:.3f} ({low95:.3f}-{high95:.3f})".format_map(row["macro_f1"]),
            f"{row['coverage']:.0%}",
            row["created_at"][:16].replace("T", " "),
            gate_words(row["gate"]),
        )
        for row in rows
    )
    print_table(("category", "version", "", "defects", "macro F1", "names", "made", "gate"), shown)
