"""``anomalyos artifacts``: models, cases and graph, versioned with DVC."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from anomalyos.cli.models import actor, ready_store
from anomalyos.cli.output import print_json, progress_bar, stderr_console, stdout_console
from anomalyos.core.settings import get_settings
from anomalyos.ops.snapshots.artifacts import POINTER, Artifacts

app = typer.Typer(no_args_is_help=True, help="Publish models, cases and graph with DVC, and fetch them.")

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


@app.command()
def push(as_json: JsonOption = False) -> None:
    """Publish what inspects now: export, version, upload. Commit snapshot.dvc to git afterwards."""
    artifacts = Artifacts(get_settings())
    with progress_bar() as bar:
        line = bar.add_task("publishing", total=None)
        result = artifacts.push(
            ready_store(), lambda done, total: bar.update(line, completed=done, total=total)
        )
    show(result, as_json)
    if not as_json and result["changed"]:
        stderr_console().print(f"{artifacts.root / POINTER} names this version.", highlight=False)


@app.command()
def pull(as_json: JsonOption = False) -> None:
    """Fetch what snapshot.dvc names and take it in: a console works afterwards without any training."""
    with progress_bar() as bar:
        line = bar.add_task("fetching", total=None)
        result = Artifacts(get_settings()).pull(
            ready_store(),
            actor=actor(),
            progress=lambda done, total: bar.update(line, completed=done, total=total),
        )
    show(result, as_json)


@app.command()
def status(as_json: JsonOption = False) -> None:
    """Which version is published, where, and whether it is uploaded and taken in here."""
    with stderr_console().status("asking the remote"):
        result = Artifacts(get_settings()).status(ready_store())
    show(result, as_json)


def show(result: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(result)
        return
    for name, value in result.items():
        words = "nothing yet" if value is None else value
        if isinstance(value, bool):
            words = "yes" if value else "no"
        stdout_console().print(f"{name.replace('_', ' ')}: {words}", markup=False, highlight=False)
