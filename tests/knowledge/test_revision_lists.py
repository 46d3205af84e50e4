from __future__ import annotations

import pytest

from anomalyos.db.engine import Store
from anomalyos.knowledge import edits, revision_lists
from tests.knowledge.knowledge_rows import CRACK, MIA, small_graph

# on SQLite and on PostgreSQL
pytestmark = pytest.mark.databases


def test_history_around_a_node_holds_its_edges_too_newest_first(store: Store) -> None:
    with store.session() as session:
        small_graph(session)
        edits.weigh_edge(session, CRACK, "caused_by", "cause:heat", 2.0, expected_version=1, actor="erik")
        around = revision_lists.around(session, "cause:heat")
        assert [(row.subject, row.version) for row in around] == [
            (f"edge:{CRACK}|caused_by|cause:heat", 2),
            (f"edge:{CRACK}|caused_by|cause:heat", 1),
            ("node:cause:heat", 1),
        ]
        assert len(revision_lists.around(session, CRACK, limit=2)) == 2


def test_edges_and_names_of_what_was_removed_are_still_told(store: Store) -> None:
    with store.session() as session:
        small_graph(session)
        subject = f"edge:{CRACK}|caused_by|cause:heat"
        edits.remove(session, subject, expected_version=1, actor=MIA)
        edits.remove(session, "node:cause:heat", expected_version=1, actor=MIA)
        edges = {edge.target: edge.removed_at for edge in revision_lists.edges_of(session, CRACK)}
        assert edges["cause:heat"] is not None
        assert edges["cause:drop"] is None
        assert revision_lists.names(session, ["cause:heat", "cause:gone"]) == {"cause:heat": "heat"}


def test_what_people_changed_leaves_the_seeds_out(store: Store) -> None:
    with store.session() as session:
        edits.add_node(session, "cause:rust", name="Rust", actor=revision_lists.SEED_ACTOR)
        edits.edit_node(session, "cause:rust", expected_version=1, actor="erik", name="Rusty")
        edits.edit_node(session, "cause:rust", expected_version=2, actor="mia", name="Rust!")
        assert revision_lists.count_by_people(session) == 2
        assert [row.actor for row in revision_lists.by_people(session, limit=1)] == ["mia"]
        assert [row.actor for row in revision_lists.by_people(session, offset=1)] == ["erik"]
        newest = revision_lists.around(session, "cause:rust")[0].id or 0
        assert not revision_lists.since(session, newest)
        assert [row.version for row in revision_lists.since(session, newest - 2)] == [2, 3]
