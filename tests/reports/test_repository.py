"""Reports are kept with everything they were written from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from anomalyos.core.errors import NotFound
from anomalyos.core.settings import Settings
from anomalyos.db.rows import stored_id
from anomalyos.explain.evidence import Note
from anomalyos.reports import repository as reports
from anomalyos.reports.writer import write_report
from tests.reports.examples import evidence
from tests.support.rows import inspection

if TYPE_CHECKING:
    from anomalyos.db.engine import Store

# on SQLite and on PostgreSQL
pytestmark = pytest.mark.databases

TEMPLATE_ONLY = Settings(_env_file=None, ANOMALYOS_GROQ_API_KEY=None)


def test_a_report_comes_back_as_it_was_written(store: Store) -> None:
    written = write_report(evidence(), TEMPLATE_ONLY)
    with store.session() as session:
        number = inspection(session)
        row_id = stored_id(reports.keep(session, number, written, "mia").id)
    with store.session(read_only=True) as session:
        row = reports.get(session, row_id)
        assert reports.restore(row) == written
        assert (row.actor, row.inspection_id, row.writer) == ("mia", number, "template")
        assert row.inputs["facts"][0]["id"] == "verdict"


def test_the_newest_comes_first_and_the_older_stay(store: Store) -> None:
    written = write_report(evidence(), TEMPLATE_ONLY)
    with store.session() as session:
        number, other = inspection(session), inspection(session, "2.png")
        assert reports.latest(session, number) is None
        ids = [stored_id(reports.keep(session, number, written, "mia").id) for _ in range(3)]
        reports.keep(session, other, written, "mia")
        assert [row.id for row in reports.list_reports(session, number)] == ids[::-1]
        newest = reports.latest(session, number)
        assert newest is not None
        assert newest.id == ids[-1]


def test_words_no_database_holds_are_kept_as_escapes(store: Store) -> None:
    item = evidence(notes=(Note(id="review:1", author="a\x00b", text="x\ud800\x00y"),))
    written = write_report(item, TEMPLATE_ONLY)
    model = written.model_copy(update={"model": "m\x00\ud800", "writer": "groq"})
    with store.session() as session:
        row = reports.keep(session, inspection(session), model, "mia")
        assert row.model == "m\\x00\\ud800"
        assert "\x00" not in str(row.inputs)


def test_there_is_no_report_of_what_does_not_exist(store: Store) -> None:
    written = write_report(evidence(), TEMPLATE_ONLY)
    with store.session() as session:
        with pytest.raises(NotFound):
            reports.keep(session, 404, written, "mia")
        with pytest.raises(NotFound):
            reports.get(session, 404)
