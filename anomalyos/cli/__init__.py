"""The ``anomalyos`` command.

Each command's module is imported when the command is run: a module imports what it needs at its top, and
``--help`` stays quick all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
import typer.core
import typer.main

from anomalyos.cli.output import FriendlyGroup


@dataclass(frozen=True)
class Entry:
    """Where a command stands, and its line in ``anomalyos --help``."""

    module: str
    """Inside ``anomalyos.cli``. A group is its ``app``; otherwise what is named like the command is run."""
    help: str
    passes_on: bool = False
    """Whether every argument, ``--help`` too, goes to another program."""


COMMANDS = {
    "rebuild": Entry(
        "rebuild", "Rebuild memory banks, promote those that pass the gate, and keep all of it in MLflow."
    ),
    "tune": Entry("tune", "Compare recipes on defects drawn into a category's normal images."),
    "inspect": Entry("inspect", "Inspect images and store the results as today's live batch."),
    "report": Entry(
        "report",
        "Write, check and keep a report of an inspection; by Groq with a key, else from the template.",
    ),
    "search": Entry(
        "search", "Search causes, remedies, checks, known defects and reviewers' notes in plain language."
    ),
    "evaluate-search": Entry(
        "search", "Measure search on judged questions: hybrid, words alone, meaning alone, without mending."
    ),
    "evaluate": Entry("evaluate", "Evaluate the champions on their categories' test images."),
    "evaluate-retrieval": Entry(
        "evaluate_retrieval",
        "Precision of the similar cases, hierarchical against flat, and of the category router.",
    ),
    "drift": Entry("drift", "Compare what each model saw first with what it sees now (include/drift.yaml)."),
    "nightly": Entry("nightly", "Inspect the images of one night."),
    "maintain": Entry("maintain", "Back up the database, apply retention, sweep files no row names, vacuum."),
    "restore": Entry("maintain", "Put a backup in the place of the database."),
    "up": Entry("run", "Start Airflow and the console, prepare what is missing; Ctrl-C stops everything."),
    "console": Entry("console", "Start the console alone, in the foreground."),
    "airflow": Entry(
        "run",
        "Run Airflow's own command line in this installation's environment: `anomalyos airflow dags list`.",
        passes_on=True,
    ),
    "doctor": Entry(
        "run", "Check that everything the platform needs is there, and say what to do about what is not."
    ),
    "smoke": Entry(
        "smoke",
        "Health, one inspection and metrics of a console; exit code 1 when an answer is "
        "wrong, 2 without any.",
    ),
    "data": Entry("data", "Import images, list categories, draw samples, check what is learned from."),
    "models": Entry("models", "List, promote and roll back model versions."),
    "cases": Entry("cases", "Import, list and remove known defects."),
    "classifier": Entry("classifier", "Train the defect classifier, and see which one is in use."),
    "artifacts": Entry("artifacts", "Publish models, cases and graph with DVC, and fetch them."),
    "knowledge": Entry("knowledge", "Defects, their root causes, remedies and checks."),
    "users": Entry("users", "People who may sign in, and their API tokens."),
    "simulate": Entry(
        "drift",
        "Inject records that look like drift, to try the chain; they are marked wherever they are shown.",
    ),
    "backup": Entry("maintain", "Copies of the database."),
    "db": Entry("run", "The database."),
}


PASSING_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


class LazyGroup(FriendlyGroup):
    """Knows its commands by name and help, and imports one when it is run."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        # name and help are all that a list of commands and a suggestion need
        self.commands = {
            name: typer.core.TyperCommand(name, help=entry.help) for name, entry in COMMANDS.items()
        }

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, command, rest = super().resolve_command(ctx, args)
        return name, command if name is None else load(name), rest


def load(name: str) -> Any:
    """The command itself, with its options and subcommands."""
    entry = COMMANDS[name]
    module = import_module(f"anomalyos.cli.{entry.module}")
    found = module.app if hasattr(module, "app") else getattr(module, name.replace("-", "_"))
    if isinstance(found, typer.Typer):
        return typer.main.get_group(found)
    alone = typer.Typer()
    alone.command(name, context_settings=PASSING_ON if entry.passes_on else None)(found)
    return typer.main.get_group(alone).commands[name]


app = typer.Typer(
    name="anomalyos",
    cls=LazyGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Visual inspection that learns only what normal looks like.",
    epilog="Exit codes: 0 done, 1 done with rejected items, 2 could not run.",
)


@app.callback()
def main() -> None:
    """Makes a group of an application whose commands are not registered."""
