"""``anomalyos models``: versions, and the pointer that says which of them inspects."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from anomalyos.cli.output import answer, figure, print_table, stdout_console
from anomalyos.cli.shared import JsonOption, ReasonOption, actor, ready_store
from anomalyos.core.settings import get_settings
from anomalyos.models import categories
from anomalyos.models import versions as model_versions
from anomalyos.models.pointer import promote_version, roll_back

app = typer.Typer(no_args_is_help=True, help="List, promote and roll back model versions.")

CategoryArgument = Annotated[str, typer.Argument(help="The product.")]


@app.command("list")
def list_models(
    category: Annotated[str | None, typer.Option(help="Only this category.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Every version, newest first, the inspecting one marked."""
    with ready_store().session(read_only=True) as session:
        champions = {row.id: row for row in categories.list_all(session)}
        rows = [
            {
                "category": champions[version.category_id].name,
                "version": version.version,
                "champion": champions[version.category_id].champion_id == version.id,
                "recipe": version.recipe,
                "alpha": version.alpha,
                "threshold": version.threshold,
                "image_auroc": version.metrics.get("image_auroc"),
                "gate": {"passed": version.gate_passed, "reason": version.gate_reason},
                "created_at": version.created_at.isoformat(timespec="seconds"),
                "bundle_sha256": version.bundle_sha256,
            }
            for version in model_versions.list_versions(session, category)
        ]
    answer(as_json, {"models": rows}, lambda: print_models(rows))


def gate_words(gate: dict[str, Any]) -> str:
    return {True: "passed", False: f"refused: {gate['reason']}", None: "not judged"}[gate["passed"]]


def print_models(rows: list[dict[str, Any]]) -> None:
    if not rows:
        stdout_console().print("No model yet. Build one with 'anomalyos rebuild'.")
        return
    shown = (
        (
            row["category"],
            f"v{row['version']}",
            "● in use" if row["champion"] else "",
            row["recipe"],
            figure(row["image_auroc"]),
            row["created_at"][:16].replace("T", " "),
            gate_words(row["gate"]),
        )
        for row in rows
    )
    print_table(("category", "version", "", "recipe", "AUROC", "made", "gate"), shown)


@app.command()
def promote(
    category: CategoryArgument,
    version: Annotated[int, typer.Argument(help="Version number, as 'models list' shows it.")],
    reason: ReasonOption = "promoted by hand",
    as_json: JsonOption = False,
) -> None:
    """Let a version inspect from now on."""
    promote_version(
        ready_store(), get_settings(), category=category, version=version, actor=actor(), reason=reason
    )
    report(category, version, "promote", as_json)


@app.command()
def rollback(
    category: CategoryArgument, reason: ReasonOption = "rolled back by hand", as_json: JsonOption = False
) -> None:
    """Return to the champion before the present one."""
    store = ready_store()
    move = roll_back(store, get_settings(), category=category, actor=actor(), reason=reason)
    with store.session(read_only=True) as session:
        version = model_versions.get(session, move.to_id).version
    report(category, version, "rollback", as_json)


def report(category: str, version: int, kind: str, as_json: bool) -> None:
    document = {"category": category, "version": version, "kind": kind}
    answer(as_json, document, f"✓ {category} is now inspected with v{version}.")
