"""The lines that say where everything is, once it is up."""

from __future__ import annotations

from anomalyos.ops.supervisor.airflow_env import passwords_file
from anomalyos.ops.supervisor.up import SETUP, Supervisor


def show_banner(supervisor: Supervisor) -> None:
    """Addresses, logins, where the logs are, and how long it took."""
    from rich.panel import Panel

    settings = supervisor.settings
    lines = [
        f"Inspection console   [bold cyan]{settings.console_url}[/]",
        f"Airflow              [bold cyan]{settings.airflow_url}[/]",
        "",
    ]
    if supervisor.logins:
        lines += [*supervisor.logins, "[dim]These passwords are shown only this once.[/]", ""]
    else:
        lines.append("Console logins: [bold]anomalyos users --help[/]")
    lines += [
        f"Airflow's passwords are kept in {passwords_file(settings)}",
        f"Logs: {settings.home / 'logs'}",
    ]
    if SETUP in supervisor.services:
        lines.append("The first products are there; the others are being learned and appear one by one.")
    lines += [f"[yellow]! {warning}[/]" for warning in supervisor.warnings]
    lines += ["", "[bold]Ctrl-C[/] stops everything."]
    title = f"AnomalyOS is up after {supervisor.display.seconds:.0f} s"
    supervisor.display.console.print(Panel("\n".join(lines), title=title, expand=False, border_style="green"))
