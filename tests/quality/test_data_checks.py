from __future__ import annotations

import pytest

from anomalyos.accounts import audit
from anomalyos.core.errors import AnomalyOSError, Conflict, NotFound
from anomalyos.db.engine import Store
from anomalyos.db.rows import stored_id
from anomalyos.quality import data_checks, image_figures, quarantine
from anomalyos.quality.quarantine import BadFile
from anomalyos.quality.tables import DataCheck, ImageFigures

# on SQLite and on PostgreSQL
pytestmark = pytest.mark.databases

NIGHT = "night-2026-11-24"


def check(key: str, category: str = "dots", batch: str = "", outcome: str = "passed") -> DataCheck:
    return DataCheck(content_key=key, category=category, batch_key=batch, outcome=outcome, reason="why")


def bad(file: str, *rules: str) -> BadFile:
    return BadFile(file, "0" * 64, rules or ("mode",), "because")


def test_the_newest_answer_of_each_subject_counts(store: Store) -> None:
    with store.session() as session:
        first = stored_id(data_checks.record(session, check("a")).id)
    with store.session() as session:
        data_checks.record(session, check("b", outcome="warned"))
        data_checks.record(session, check("c", "stripes"))
        data_checks.record(session, check("d", batch=NIGHT, outcome="stopped"))
    with store.session(read_only=True) as session:
        assert [(row.category, row.content_key) for row in data_checks.of_batch(session, "")] == [
            ("dots", "b"),
            ("stripes", "c"),
        ]
        assert data_checks.stopped_reasons(session, NIGHT) == ["dots: why"]
    with store.session() as session:
        # asked again, it keeps its row and becomes the newest
        assert data_checks.record(session, check("a", outcome="failed")).id == first
    with store.session(read_only=True) as session:
        newest = data_checks.newest(session, "dots")
        assert newest is not None
        assert (newest.content_key, newest.outcome) == ("a", "passed")
        assert [row.content_key for row in data_checks.history(session, "dots", "")] == ["a", "b"]
        with pytest.raises(NotFound):
            data_checks.get(session, 99)


def test_only_what_was_stopped_is_let_go_on_with_a_reason_and_once(store: Store) -> None:
    with store.session() as session:
        stopped = stored_id(data_checks.record(session, check("a", batch=NIGHT, outcome="stopped")).id)
        passed = stored_id(data_checks.record(session, check("b")).id)
    with store.session() as session:
        with pytest.raises(AnomalyOSError, match="about why"):
            data_checks.let_go_on(session, stopped, actor="erik", note=" ")
        with pytest.raises(Conflict, match="stopped nothing"):
            data_checks.let_go_on(session, passed, actor="erik", note="x")
        data_checks.let_go_on(session, stopped, actor="erik", note="known")
    with store.session() as session, pytest.raises(Conflict, match="erik has let"):
        data_checks.let_go_on(session, stopped, actor="ada", note="x")
    with store.session(read_only=True) as session:
        assert data_checks.stopped_reasons(session, NIGHT) == []
        assert [event.subject for event in audit.recent(session)] == [f"check:{stopped}"]


def test_quarantine_follows_the_newest_check_and_the_engineers(store: Store) -> None:
    with store.session() as session:
        rows = quarantine.sync(session, "dots", [bad("a"), bad("b"), bad("c")])
        numbers = {row.file: stored_id(row.id) for row in rows}
    with store.session() as session:
        quarantine.release(session, numbers["a"], actor="erik")
        quarantine.keep_out(session, numbers["b"], actor="erik")
        with pytest.raises(Conflict):
            quarantine.release(session, numbers["a"], actor="erik")
        with pytest.raises(Conflict):
            quarantine.keep_out(session, numbers["b"], actor="erik")
    with store.session() as session:
        assert [row.file for row in quarantine.sync(session, "dots", [bad("a")])] == ["b"]
    with store.session(read_only=True) as session:
        states = {row.file: row.state for row in quarantine.listed(session, "dots")}
        assert states == {"a": "released", "b": "kept_out", "c": "cleared"}
        assert quarantine.out_by_category(session) == {"dots": 1}
        assert quarantine.count(session, states=quarantine.OUT) == 1
    with store.session() as session:
        out = quarantine.sync(session, "dots", [bad("a", "mode", "size"), bad("c")])
        assert [row.file for row in out] == ["a", "b", "c"]
    with store.session() as session, pytest.raises(NotFound):
        quarantine.release(session, 99, actor="erik")


def test_figures_are_kept_once_and_measured_anew_with_a_new_version(store: Store) -> None:
    def figures(version: int, width: int) -> ImageFigures:
        return ImageFigures(sha256="a" * 64, version=version, width=width)

    with store.session() as session:
        image_figures.keep(session, [figures(1, 10)])
        image_figures.keep(session, [figures(1, 20)])
    with store.session(read_only=True) as session:
        assert image_figures.find_many(session, ["a" * 64, "b" * 64], 1)["a" * 64].width == 10
        assert image_figures.find_many(session, ["a" * 64], 2) == {}
    with store.session() as session:
        image_figures.keep(session, [figures(2, 30)])
    with store.session(read_only=True) as session:
        assert image_figures.find_many(session, ["a" * 64], 2)["a" * 64].width == 30
