"""``anomalyos artifacts``: models, cases and graph, versioned with DVC."""

from __future__ import annotations

from typing import Any

import typer

from anomalyos.cli.output import answer, counting, stderr_console, stdout_console
from anomalyos.cli.shared import JsonOption, actor, ready_store
from anomalyos.core.settings import get_settings
from anomalyos.ops.snapshots.artifacts import POINTER, Artifacts

app = typer.Typer(no_args_is_help=True, help="Publish models, cases and graph with DVC, and fetch them.")


@app.command()
def push(as_json: JsonOption = False) -> None:
    """Publish what inspects now: export, version, upload. Commit snapshot.dvc to git afterwards."""
    artifacts = Artifacts(get_settings())
    with counting("publishing") as progress:
        result = artifacts.push(ready_store(), progress)
    show(result, as_json)
    if not as_json and result["changed"]:
        stderr_console().print(f"{artifacts.root / POINTER} names this version.", highlight=False)


@app.command()
def pull(as_json: JsonOption = False) -> None:
    """Fetch what snapshot.dvc names and take it in: a console works afterwards without any training."""
    with counting("fetching") as progress:
        result = Artifacts(get_settings()).pull(ready_store(), actor=actor(), progress=progress)
    show(result, as_json)


@app.command()
def status(as_json: JsonOption = False) -> None:
    """Which version is published, where, and whether it is uploaded and taken in here."""
    with stderr_console().status("asking the remote"):
        result = Artifacts(get_settings()).status(ready_store())
    show(result, as_json)


def show(result: dict[str, Any], as_json: bool) -> None:
    answer(as_json, result, lambda: print_facts(result))


def print_facts(result: dict[str, Any]) -> None:
    for name, value in result.items():
        words = "nothing yet" if value is None else value
        if isinstance(value, bool):
            words = "yes" if value else "no"
        stdout_console().print(f"{name.replace('_', ' ')}: {words}", markup=False, highlight=False)
