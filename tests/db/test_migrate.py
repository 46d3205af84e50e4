from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect
from sqlmodel import SQLModel

from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.settings import PROJECT_ROOT, Settings
from anomalyos.db.engine import Store, open_store
from anomalyos.db.migrate import head_revision
from anomalyos.models import categories
from tests.support import workers

# on SQLite and on PostgreSQL
pytestmark = pytest.mark.databases


def differences(store: Store) -> list[object]:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        return list(compare_metadata(context, SQLModel.metadata))


def test_migrations_make_exactly_the_tables_of_the_code(store: Store) -> None:
    assert differences(store) == []


def test_foreign_keys_of_the_database_are_those_of_the_code(store: Store) -> None:
    # autogenerate compares neither names nor presence of every foreign key on SQLite
    inspector = inspect(store.engine)
    for table in SQLModel.metadata.sorted_tables:
        expected = {(fk.parent.name, fk.column.table.name) for fk in table.foreign_keys}
        found = {
            (fk["constrained_columns"][0], fk["referred_table"])
            for fk in inspector.get_foreign_keys(table.name)
        }
        assert found == expected, table.name


def test_create_all_makes_the_same_tables(empty_settings: Settings) -> None:
    store = open_store(empty_settings)
    SQLModel.metadata.create_all(store.engine)
    assert differences(store) == []


def test_check_asks_for_the_migration_until_it_has_run(empty_settings: Settings) -> None:
    store = open_store(empty_settings)
    with pytest.raises(AnomalyOSError, match="alembic upgrade head"):
        store.check()
    store.upgrade()
    store.check()


def test_upgrading_again_keeps_the_rows(store: Store) -> None:
    with store.session() as session:
        categories.ensure(session, "hazelnut")
    store.upgrade()
    with store.session() as session:
        assert categories.by_name(session, "hazelnut").id == 1


def test_processes_may_upgrade_at_once(empty_settings: Settings) -> None:
    outcomes = workers.run_together(workers.upgrade, empty_settings, [()] * 4)
    assert outcomes == ["ok"] * 4
    assert differences(open_store(empty_settings)) == []


def test_a_newer_database_is_left_alone(store: Store) -> None:
    with store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(AnomalyOSError, match="newer version"):
        store.upgrade()
    with store.engine.connect() as connection:
        assert MigrationContext.configure(connection).get_current_revision() == "9999"


def test_alembic_itself_goes_up_and_down(empty_settings: Settings) -> None:
    config = Config(PROJECT_ROOT / "alembic.ini")
    command.upgrade(config, "head")
    store = open_store(empty_settings)
    store.check()
    command.downgrade(config, "base")
    assert set(inspect(store.engine).get_table_names()) <= {"alembic_version"}


def test_the_ini_file_names_no_database() -> None:
    text = (PROJECT_ROOT / "alembic.ini").read_text(encoding="utf-8")
    assert "sqlalchemy.url" not in text
    assert "://" not in text


def test_the_newest_migration_is_the_only_head() -> None:
    files = list((PROJECT_ROOT / "anomalyos/db/migrations/versions").glob("[0-9]*.py"))
    assert head_revision() == max(file.name.split("_")[0] for file in files)


def test_an_unreachable_database_is_named_without_its_password(tmp_path: Path) -> None:
    url = f"postgresql://mia:opensesame@/none?host={tmp_path}"
    store = Store(Settings(home=tmp_path, database_url=url, _env_file=None))
    with pytest.raises(AnomalyOSError, match="cannot be reached") as caught:
        store.check()
    assert "opensesame" not in str(caught.value)
