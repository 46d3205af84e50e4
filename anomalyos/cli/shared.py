"""What commands that work on the database share: options, the ready store, who is asking."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from anomalyos.core.settings import get_settings
from anomalyos.db.engine import Store, open_store

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
CategoriesOption = Annotated[
    list[str] | None, typer.Option("--category", help="Only this category; may be repeated.")
]
ReasonOption = Annotated[str, typer.Option(help="Why; kept in the audit log.")]


def ready_store() -> Store:
    """The process's store, at the newest schema."""
    store = open_store(get_settings())
    store.upgrade()
    return store


def actor() -> str:
    """Who acts, for the audit log: the account of the operating system."""
    return f"cli:{getpass.getuser()}"
