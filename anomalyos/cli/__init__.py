"""The ``anomalyos`` command. Modules import what is heavy inside the commands: ``--help`` stays quick."""

from __future__ import annotations

import typer

from anomalyos.cli import (
    artifacts,
    cases,
    classifier,
    data,
    drift,
    evaluate,
    evaluate_retrieval,
    inspect,
    knowledge,
    maintain,
    models,
    nightly,
    rebuild,
    report,
    run,
    search,
    smoke,
    users,
)
from anomalyos.cli.output import FriendlyGroup

app = typer.Typer(
    name="anomalyos",
    cls=FriendlyGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Visual inspection that learns only what normal looks like.",
    epilog="Exit codes: 0 done, 1 done with rejected items, 2 could not run.",
)
app.add_typer(data.app, name="data")
app.add_typer(models.app, name="models")
app.add_typer(cases.app, name="cases")
app.add_typer(classifier.app, name="classifier")
app.add_typer(artifacts.app, name="artifacts")
app.add_typer(knowledge.app, name="knowledge")
app.add_typer(users.app, name="users")
for module in (
    rebuild,
    inspect,
    report,
    search,
    evaluate,
    evaluate_retrieval,
    drift,
    nightly,
    maintain,
    run,
    smoke,
):
    module.register(app)
