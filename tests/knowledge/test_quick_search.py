from __future__ import annotations

import pytest
from sqlalchemy import event, insert
from sqlmodel import select

from anomalyos.db.columns import utc_now
from anomalyos.db.engine import Store
from anomalyos.inspection import batches
from anomalyos.inspection.tables import Inspection
from anomalyos.knowledge import quick_search
from anomalyos.knowledge.tables import KnowledgeNode
from anomalyos.models import categories

# on SQLite and on PostgreSQL
pytestmark = pytest.mark.databases


def add_inspections(store: Store, sources: list[str]) -> list[int]:
    with store.session() as session:
        batch = batches.get_or_create(session, key="night-2026-11-24", kind="nightly", day="2026-11-24")
        category = categories.ensure(session, "stripes")
        rows = [
            Inspection(
                work_key=f"{source}-{place}",
                batch_id=batch.id or 0,
                source=source,
                content_sha256="0" * 64,
                verdict="normal",
                category_id=category.id if place % 2 else None,
            )
            for place, source in enumerate(sources)
        ]
        session.add_all(rows)
        session.flush()
        return [row.id or 0 for row in rows]


def test_inspections_are_found_by_number(store: Store) -> None:
    first, second = add_inspections(store, ["a.png", "b.png"])
    with store.session(read_only=True) as session:
        found = quick_search.inspection_by_number(session, second)
        assert found == quick_search.InspectionMatch(second, "b.png", "normal", "stripes")
        plain = quick_search.inspection_by_number(session, first)
        assert plain is not None
        assert plain.category == ""
        assert quick_search.inspection_by_number(session, second + 1) is None
        assert quick_search.inspection_by_number(session, 10**12) is None


def test_inspections_are_found_by_file_newest_first(store: Store) -> None:
    ids = add_inspections(store, ["2026/Cam_1.png", "2026/cam%1.png", "2026/dome.png"])
    with store.session(read_only=True) as session:
        assert [row.id for row in quick_search.inspections_by_file(session, "CAM", 5)] == ids[1::-1]
        assert [row.id for row in quick_search.inspections_by_file(session, "cam", 1)] == [ids[1]]
        assert [row.id for row in quick_search.inspections_by_file(session, "m%1", 5)] == [ids[1]]
        assert [row.id for row in quick_search.inspections_by_file(session, "m_1", 5)] == [ids[0]]
        assert quick_search.inspections_by_file(session, "m?1", 5) == []


def test_a_name_without_a_match_costs_one_statement_that_returns_nothing(store: Store) -> None:
    add_inspections(store, ["2026-11-24/stripes/000000.png"])
    with store.session() as session:
        first = session.exec(select(Inspection)).one().model_dump(exclude={"id"})
        many = [
            first | {"work_key": f"{number}", "source": f"2026-11-24/stripes/{number:06}.png"}
            for number in range(20_000)
        ]
        session.execute(insert(Inspection), many)
    asked: list[str] = []
    with store.session(read_only=True) as session:
        event.listen(store.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
        assert quick_search.inspections_by_file(session, "nothing like it", 6) == []
        assert quick_search.inspections_by_file(session, "019999", 6)[0].source.endswith("019999.png")
    looked = [words for words in asked if words.startswith("SELECT")]
    assert ["LIMIT" in words for words in looked] == [True, True]


@pytest.mark.parametrize("text", ["metal nut", "metal_nut", "METAL-N", "nut"])
def test_products_are_found_however_they_are_spelt(store: Store, text: str) -> None:
    with store.session() as session:
        categories.ensure(session, "metal_nut")
        categories.ensure(session, "leather")
    with store.session(read_only=True) as session:
        assert quick_search.find_products(session, text, 5) == [quick_search.ProductMatch("metal_nut", False)]


def test_names_that_start_with_the_text_come_first(store: Store) -> None:
    with store.session() as session:
        for name in ("big nut", "nut", "wing nut"):
            categories.ensure(session, name)
        for key, name, gone in (
            ("cause:a", "The drill is worn", None),
            ("cause:b", "Drill too hot", None),
            ("cause:c", "Drill broken", utc_now()),
        ):
            session.add(KnowledgeNode(key=key, kind="cause", name=name, origin="seed", removed_at=gone))
    with store.session(read_only=True) as session:
        assert [found.name for found in quick_search.find_products(session, "nut", 5)] == [
            "nut",
            "big nut",
            "wing nut",
        ]
        assert [found.key for found in quick_search.find_nodes(session, "drill", 5)] == ["cause:b", "cause:a"]
        assert quick_search.find_nodes(session, "%", 5) == []
