"""Running the migrations from inside the program, one process at a time."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from anomalyos.core.errors import AnomalyOSError
from anomalyos.db.connection import make_engine

MIGRATIONS = Path(__file__).parent / "migrations"
_ADVISORY_LOCK = 0x414F53  # "AOS": any number, as long as all processes use the same


def head_revision() -> str:
    """The newest migration this version of the program knows."""
    from alembic.script import ScriptDirectory

    head = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    if head is None:
        raise AnomalyOSError("The migrations are missing from this installation.", "Install it again.")
    return head


def current_revision(connection: Connection) -> str | None:
    """The migration the database is at; None for an empty one."""
    from alembic.runtime.migration import MigrationContext

    return MigrationContext.configure(connection).get_current_revision()


def upgrade(engine: Engine, url: URL) -> None:
    """Bring the schema to the newest migration, all or nothing.

    Raises:
        AnomalyOSError: the database is out of reach, or newer than this program.
    """
    head = head_revision()
    if _current(engine) == head:
        return

    # rebuilding a SQLite table with foreign keys on would trip over its own children
    migrator = make_engine(url, foreign_keys=False)
    try:
        with migrator.begin() as connection:
            _upgrade(connection, head)
    finally:
        migrator.dispose()


def check(engine: Engine) -> None:
    """Raises ``AnomalyOSError`` when the database is out of reach or not at the newest migration."""
    head = head_revision()
    current = _current(engine)
    if current != head:
        raise AnomalyOSError(
            f"The database is at migration {current or 'none'}; this version needs {head}.",
            "Run `alembic upgrade head`.",
        )


def _current(engine: Engine) -> str | None:
    try:
        with engine.connect() as connection:
            return current_revision(connection)
    except SQLAlchemyError as error:
        where = engine.url.render_as_string(hide_password=True)
        raise AnomalyOSError(
            f"The database {where} cannot be reached: {getattr(error, 'orig', error)}",
            "Check ANOMALYOS_DATABASE_URL and that the server is running.",
        ) from error


def wait_for_others(connection: Connection) -> None:
    """Let one process migrate at a time. SQLite holds its write lock already, since BEGIN IMMEDIATE."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})


def refuse_broken_references(connection: Connection) -> None:
    """SQLite migrates with foreign keys off: look before committing whether all of them still hold."""
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        if broken:
            raise AnomalyOSError(f"Migrating would leave {len(broken)} rows without what they refer to.")


def _upgrade(connection: Connection, head: str) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise AnomalyOSError(
            f"The database cannot be brought to migration {head}: {error}",
            "It was probably written by a newer version of AnomalyOS: update this one.",
        ) from error
