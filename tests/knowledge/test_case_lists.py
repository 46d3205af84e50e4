from __future__ import annotations

import pytest

from anomalyos.cases import repository as case_repository
from anomalyos.db.engine import Store
from anomalyos.knowledge import case_lists, cause_evidence
from anomalyos.models import categories
from tests.knowledge.knowledge_rows import CRACK, case, small_graph

# on SQLite and on PostgreSQL
pytestmark = pytest.mark.databases


def test_cases_are_counted_and_listed_newest_first(store: Store) -> None:
    with store.session() as session:
        ids = [case(session, n, "crack" if n < 3 else "Hole", "nut" if n < 5 else "pin") for n in range(1, 6)]
        case_repository.remove(session, ids[0], "mia", "wrong")
        assert case_lists.type_counts(session) == {
            ("nut", "crack"): 1,
            ("nut", "Hole"): 2,
            ("pin", "Hole"): 1,
        }
        assert case_lists.type_counts(session, "pin") == {("pin", "Hole"): 1}
        assert [row.id for row in case_repository.list_cases(session, newest_first=True, limit=2)] == [
            ids[4],
            ids[3],
        ]
        assert [
            row.id for row in case_repository.list_cases(session, newest_first=True, limit=2, offset=2)
        ] == [ids[2], ids[1]]
        assert [row.id for row in case_repository.list_cases(session, newest_first=True, removed=True)] == [
            ids[0]
        ]
        assert case_repository.count(session, category="nut", defect_types=["Hole"]) == 2
        assert case_repository.count(session, defect_types=[]) == 0
        assert case_repository.count(session, severity="critical") == 0


def test_evidence_counts_while_its_case_and_itself_stand(store: Store) -> None:
    with store.session() as session:
        small_graph(session)
        ids = [case(session, n) for n in range(1, 4)]
        rows = [
            cause_evidence.confirm(session, case_id=n, defect=CRACK, cause="cause:drop", actor="mia")
            for n in ids
        ]
        assert case_lists.evidence_counts(session) == {(CRACK, "cause:drop"): 3}
        case_repository.remove(session, ids[0], "mia", "wrong")
        cause_evidence.withdraw(session, rows[1].id or 0, "mia")
        assert case_lists.evidence_counts(session) == {(CRACK, "cause:drop"): 1}
        assert [row.id for row in case_lists.cases_of_cause(session, "cause:drop")] == [ids[2]]
        assert not case_lists.cases_of_cause(session, "cause:heat")


def test_synthetic_categories_are_named(store: Store) -> None:
    with store.session() as session:
        categories.ensure(session, "sample_pill", synthetic=True)
        categories.ensure(session, "hazelnut", synthetic=False)
        assert case_lists.synthetic_categories(session) == {"sample_pill"}
        assert case_lists.inspections_of_reviews(session, [1, 2]) == {}
