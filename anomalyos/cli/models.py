"""``anomalyos models``: versions, and the pointer that says which of them inspects."""

from __future__ import annotations

import getpass
from typing import Annotated, Any

import typer

from anomalyos.cli.output import print_json, stdout_console
from anomalyos.core.settings import get_settings
from anomalyos.db.engine import Store, open_store
from anomalyos.models import categories
from anomalyos.models import versions as models
from anomalyos.models.pointer import promote_version, roll_back

app = typer.Typer(no_args_is_help=True, help="List, promote and roll back model versions.")

CategoryArgument = Annotated[str, typer.Argument(help="The product.")]
ReasonOption = Annotated[str, typer.Option(help="Why; kept in the audit log.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


def ready_store() -> Store:
    store = open_store(get_settings())
    store.upgrade()
    return store


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
            for version in models.list_versions(session, category)
        ]
    if as_json:
        print_json({"models": rows})
        return
    print_models(rows)


def print_models(rows: list[dict[str, Any]]) -> None:
    from rich.table import Table

    if not rows:
        stdout_console().print("No model yet. Build one with 'anomalyos rebuild'.")
        return
    table = Table("category", "version", "", "recipe", "AUROC", "made", "gate")
    for row in rows:
        auroc = row["image_auroc"]
        table.add_row(
            row["category"],
            f"v{row['version']}",
            "● in use" if row["champion"] else "",
            row["recipe"],
            "-" if auroc is None else f"{auroc:.4f}",
            row["created_at"][:16].replace("T", " "),
            {True: "passed", False: "refused: " + row["gate"]["reason"], None: "not judged"}[
                row["gate"]["passed"]
            ],
        )
    stdout_console().print(table)


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
        version = models.get(session, move.to_id).version
    report(category, version, "rollback", as_json)


def report(category: str, version: int, kind: str, as_json: bool) -> None:
    if as_json:
        print_json({"category": category, "version": version, "kind": kind})
    else:
        stdout_console().print(f"✓ {category} is now inspected with v{version}.")


def actor() -> str:
    """Who acts, for the audit log: the account of the operating system."""
    return f"cli:{getpass.getuser()}"
