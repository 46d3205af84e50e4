"""Alembic's entry: uses the program's own connection, or opens one from the settings."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection
from sqlmodel import AutoString, SQLModel

from anomalyos.core.settings import get_settings
from anomalyos.db.columns import UtcDateTime
from anomalyos.db.connection import database_url, make_engine
from anomalyos.db.migrate import refuse_broken_references, wait_for_others
from anomalyos.db.schema import load_tables


def render(kind: str, value: Any, _: Any) -> str | Literal[False]:
    """Plain SQL types in migrations: they must keep meaning the same when the tables' code moves on."""
    if kind == "type" and isinstance(value, AutoString):
        return f"sa.String({value.length or ''})"
    if kind == "type" and isinstance(value, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def run(connection: Connection) -> None:
    load_tables()
    wait_for_others(connection)
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        render_as_batch=True,
        render_item=render,
        compare_type=True,
        compare_server_default=True,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    refuse_broken_references(connection)


def main() -> None:
    if context.is_offline_mode():
        url = database_url(get_settings())
        context.configure(url=url, target_metadata=SQLModel.metadata, literal_binds=True)
        with context.begin_transaction():
            context.run_migrations()
        return
    given: Connection | None = context.config.attributes.get("connection")
    if given is not None:
        run(given)
        return
    engine = make_engine(database_url(get_settings()), foreign_keys=False)
    with engine.begin() as connection:
        run(connection)
    engine.dispose()


main()
