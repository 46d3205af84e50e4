"""``anomalyos smoke``: whether a running console serves, for people and for CI."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from anomalyos.cli.output import EXIT_REJECTED, print_json, stderr_console, stdout_console
from anomalyos.cli.shared import JsonOption
from anomalyos.ops.smoke import smoke as ask


def smoke(
    url: Annotated[str, typer.Argument(help="Address of the console, http://localhost:7860.")],
    token: Annotated[
        str, typer.Option(envvar="ANOMALYOS_SMOKE_TOKEN", help="Of a reviewer, with the scope inspect.")
    ] = "",
    image: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Inspected instead of a drawn picture.")
    ] = None,
    wait: Annotated[float, typer.Option(min=0, help="Seconds models may still be loading.")] = 60.0,
    as_json: JsonOption = False,
) -> None:
    """Health, one inspection and metrics of a console; exit code 1 when an answer is wrong, 2 without any."""
    with stderr_console().status(f"asking {url}"):
        checks = ask(url, token=token, wait_s=wait, image=image.read_bytes() if image else None)
    passed = all(check.passed for check in checks)
    if as_json:
        print_json({"url": url, "passed": passed, "checks": [check.as_dict() for check in checks]})
    else:
        for check in checks:
            mark = "[green]✓[/]" if check.passed else "[bold red]✗[/]"
            stdout_console().print(f"{mark} {check.name} ({check.seconds:.2f} s): ", end="", highlight=False)
            stdout_console().print(check.finding, markup=False, highlight=False)
    if not passed:
        raise typer.Exit(EXIT_REJECTED)
