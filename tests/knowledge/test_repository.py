from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from anomalyos.accounts import audit
from anomalyos.cases import repository as case_repository
from anomalyos.core.errors import AnomalyOSError, Conflict, NotFound
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store, open_store
from anomalyos.db.rows import stored_id
from anomalyos.knowledge import bulk, cause_evidence, edits
from anomalyos.knowledge import repository as knowledge_repository
from anomalyos.knowledge.graph import load_graph
from anomalyos.knowledge.likelihood import root_causes, root_causes_for_case
from anomalyos.knowledge.seeds import ensure_seeded, load_seeds, to_content
from tests.knowledge.knowledge_rows import CRACK, MIA, case, small_graph, write_seed
from tests.support.workers import run_together

# on SQLite and on PostgreSQL
pytestmark = pytest.mark.databases

DROP = "cause:drop"
EDGE = f"edge:{CRACK}|caused_by|{DROP}"


def test_an_edit_is_a_version_with_its_history(store: Store) -> None:
    with store.session() as session:
        edits.add_node(session, DROP, name="Dropped", text="It fell.", actor=MIA, reason="seen it")
        edits.edit_node(session, DROP, expected_version=1, actor="ben", text="It fell down.")
        row = edits.revert(session, f"node:{DROP}", 1, expected_version=2, actor=MIA)
        assert (row.version, row.text) == (3, "It fell.")
        history = knowledge_repository.history(session, f"node:{DROP}")
        assert [(r.version, r.actor) for r in history] == [(1, MIA), (2, "ben"), (3, MIA)]
        assert history[0].before is None
        assert history[1].before == history[0].after == history[2].after
        events = audit.recent(session, subject=f"node:{DROP}")
        assert [event.action for event in events] == ["knowledge.revert", "knowledge.edit", "knowledge.add"]


def test_who_comes_second_is_told(store: Store) -> None:
    with store.session() as session:
        edits.add_node(session, DROP, name="Dropped", actor=MIA)
        edits.edit_node(session, DROP, expected_version=1, actor=MIA, name="Fell")
    with store.session() as session, pytest.raises(Conflict, match="version 2 now"):
        edits.edit_node(session, DROP, expected_version=1, actor="ben", name="Thrown")
    with store.session(read_only=True) as session:
        assert knowledge_repository.get_node(session, DROP).name == "Fell"
        assert len(knowledge_repository.history(session, f"node:{DROP}")) == 2


def rename(settings: Settings, wait: Callable[[], Any], name: str) -> str:
    store = open_store(settings)
    with store.session(read_only=True) as session:
        version = knowledge_repository.get_node(session, DROP).version
    wait()
    with store.session() as session:
        edits.edit_node(session, DROP, expected_version=version, actor=name, name=name)
    return "done"


def test_of_two_who_edit_at_once_one_wins(store: Store, store_settings: Settings) -> None:
    with store.session() as session:
        edits.add_node(session, DROP, name="Dropped", actor=MIA)
    store.close()
    assert sorted(run_together(rename, store_settings, [("a",), ("b",)])) == ["Conflict", "done"]


def test_a_removed_node_hides_its_edges_until_it_returns(store: Store) -> None:
    with store.session() as session:
        small_graph(session)
        edits.remove(session, f"node:{DROP}", expected_version=1, actor=MIA)
        assert list(load_graph(session).causes(CRACK)) == ["cause:heat"]
        with pytest.raises(Conflict, match="is removed"):
            edits.edit_node(session, DROP, expected_version=2, actor=MIA, name="x")
        with pytest.raises(Conflict, match="existed and is removed"):
            edits.add_node(session, DROP, name="x", actor=MIA)
        edits.revert(session, f"node:{DROP}", 1, expected_version=2, actor=MIA)
        assert list(load_graph(session).causes(CRACK)) == [DROP, "cause:heat"]
        with pytest.raises(NotFound, match="no version 9"):
            edits.revert(session, f"node:{DROP}", 9, expected_version=3, actor=MIA)


@pytest.mark.parametrize(
    ("key", "attributes"),
    [
        ("cause:x", {"much": "x" * 5000}),
        ("cause:x", {"much": float("nan")}),
        ("cause:Big", {}),
        ("cause", {}),
        ("tool:x", {}),
        (CRACK, {}),
        (CRACK, {"severity": "bad"}),
    ],
)
def test_malformed_nodes_are_refused(store: Store, key: str, attributes: dict[str, Any]) -> None:
    with store.session() as session, pytest.raises(AnomalyOSError):
        edits.add_node(session, key, name="x", actor=MIA, attributes=attributes)


def test_edges_obey_the_grammar(store: Store) -> None:
    with store.session() as session:
        small_graph(session)
        refused = [
            ("cause:drop", "caused_by", CRACK, 1.0),
            (CRACK, "likes", "cause:drop", 1.0),
            (CRACK, "caused_by", "cause:none", 1.0),
            (CRACK, "caused_by", "cause:drop", 1.0),
            ("category:nut", "has_defect", "defect:bolt/crack", 1.0),
        ]
        for source, relation, target, weight in refused:
            with pytest.raises(AnomalyOSError):
                edits.add_edge(session, source, relation, target, weight=weight, actor=MIA)
        for weight in (0.0, -1.0, float("nan"), float("inf")):
            with pytest.raises(AnomalyOSError, match="weight"):
                edits.weigh_edge(session, CRACK, "caused_by", DROP, weight, expected_version=1, actor=MIA)


def test_confirmed_causes_count_until_they_are_withdrawn(store: Store) -> None:
    with store.session() as session:
        small_graph(session)
        one, two = case(session, 1), case(session, 2)
        before = root_causes_for_case(session, one)
        assert [round(c.probability, 6) for c in before] == [0.75, 0.25]
        given = edits.confirm_cause(session, one, "cause:heat", MIA, "measured")
        edits.confirm_cause(session, two, "cause:heat", MIA)
        after = root_causes_for_case(session, one)
        assert [(c.key, c.confirmed, c.confirmed_all) for c in after] == [("cause:heat", 2, 2), (DROP, 0, 2)]
        assert after[0].probability == pytest.approx(2.5 / 4)
        with pytest.raises(Conflict, match="already"):
            edits.confirm_cause(session, one, DROP, "ben")
        cause_evidence.withdraw(session, stored_id(given.id), "ben")
        with pytest.raises(Conflict, match="withdrawn by ben"):
            cause_evidence.withdraw(session, stored_id(given.id), MIA)
        case_repository.remove(session, two, MIA, "no defect after all")
        assert root_causes_for_case(session, one) == before
        case_repository.restore(session, two, MIA)
        assert root_causes_for_case(session, one)[0].confirmed_all == 1
        assert [row.withdrawn_by for row in cause_evidence.of_case(session, one)] == ["ben"]


def confirm(settings: Settings, wait: Callable[[], Any], case_id: int, cause: str) -> str:
    wait()
    with open_store(settings).session() as session:
        edits.confirm_cause(session, case_id, cause, MIA)
    return "done"


def test_one_case_has_one_cause_even_in_a_race(store: Store, store_settings: Settings) -> None:
    with store.session() as session:
        small_graph(session)
        number = case(session)
    store.close()
    outcomes = run_together(confirm, store_settings, [(number, DROP), (number, "cause:heat")])
    assert sorted(outcomes) == ["Conflict", "done"]
    with store.session(read_only=True) as session:
        assert sum(cause_evidence.counts(session, [CRACK]).values()) == 1


def test_an_unlisted_cause_is_refused_or_added_as_an_edit(store: Store) -> None:
    with store.session() as session:
        small_graph(session)
        edits.add_node(session, "cause:frost", name="Frost", actor=MIA)
        one, unnamed = case(session, 1), case(session, 2, defect_type="unnamed")
        with pytest.raises(Conflict, match="not listed"):
            edits.confirm_cause(session, one, "cause:frost", MIA)
        edits.confirm_cause(session, one, "cause:frost", MIA, add_missing=True)
        edge = knowledge_repository.get(session, f"edge:{CRACK}|caused_by|cause:frost")
        assert (edge.origin, edge.weight) == ("person", 0.5)
        assert len(knowledge_repository.history(session, f"edge:{CRACK}|caused_by|cause:frost")) == 1
        with pytest.raises(NotFound, match="no defect type 'unnamed'"):
            edits.confirm_cause(session, unnamed, DROP, MIA)
        with pytest.raises(NotFound):
            edits.confirm_cause(session, one, "cause:none", MIA)
        other = case(session, 3)
        edits.remove(session, EDGE, expected_version=1, actor=MIA)
        with pytest.raises(Conflict, match="taken off"):
            edits.confirm_cause(session, other, DROP, MIA, add_missing=True)


def test_seeding_twice_writes_once_and_leaves_people_alone(
    store: Store, store_settings: Settings, tmp_path: Path
) -> None:
    settings = store_settings.model_copy(update={"include_dir": tmp_path / "include"})
    write_seed(settings.include_dir)
    first = ensure_seeded(store, settings)
    assert (first["nodes"]["added"], first["edges"]["added"]) == (12, 17)
    with store.session() as session:
        before = knowledge_repository.generation(session)
        edits.edit_node(session, "cause:heat", expected_version=1, actor=MIA, text="Above 60 °C.")
        edits.remove(session, EDGE, expected_version=1, actor=MIA)
    text = (settings.include_dir / "knowledge/seed.yaml").read_text()
    text = text.replace("It was hot.", "Heat.").replace("It fell.", "It fell down.")
    write_seed(settings.include_dir, text.replace("drop: 1.5", "drop: 4").replace("[pad]", "[cool]"))
    second = ensure_seeded(store, settings)
    with store.session(read_only=True) as session:
        graph = load_graph(session)
        assert graph.node("cause:heat").text == "Above 60 °C."
        assert graph.node(DROP).text == "It fell down."
        assert list(graph.causes(CRACK)) == ["cause:heat"]
        assert [item.key for item in graph.items(DROP, "remedied_by")] == ["remedy:cool"]
        assert knowledge_repository.generation(session).revisions == before.revisions + 2 + 3
    assert second["nodes"] == {"added": 0, "updated": 1, "removed": 0, "kept": 1, "unchanged": 10}
    assert second["edges"] == {"added": 1, "updated": 0, "removed": 1, "kept": 1, "unchanged": 15}
    third = ensure_seeded(store, settings)
    assert [third["nodes"][n] + third["edges"][n] for n in ("added", "updated", "removed")] == [0, 0, 0]


def test_what_left_the_seeds_goes_unless_evidence_stands_on_it(
    store: Store, store_settings: Settings, tmp_path: Path
) -> None:
    settings = store_settings.model_copy(update={"include_dir": tmp_path / "include"})
    write_seed(settings.include_dir)
    ensure_seeded(store, settings)
    with store.session() as session:
        edits.confirm_cause(session, case(session), "cause:heat", MIA)
    whole = (settings.include_dir / "knowledge/seed.yaml").read_text()
    less = whole.replace("drop: 1.5, heat: 0.5", "drop: 1.5").replace("insect: 2, drop: 1", "drop: 1")
    less = "\n".join(line for line in less.splitlines() if not line.startswith(("  heat:", "  insect:")))
    write_seed(settings.include_dir, less)
    ensure_seeded(store, settings)
    with store.session(read_only=True) as session:
        graph = load_graph(session)
        assert list(graph.causes(CRACK)) == [DROP, "cause:heat"]
        assert "cause:insect" not in graph
    write_seed(settings.include_dir, whole)
    ensure_seeded(store, settings)
    with store.session(read_only=True) as session:
        assert load_graph(session).causes("defect:nut/hole") == {"cause:insect": 2.0, DROP: 1.0}


def seed(settings: Settings, wait: Callable[[], Any]) -> int:
    wait()
    counts = ensure_seeded(open_store(settings), settings)
    return counts["nodes"]["added"] + counts["edges"]["added"]


def test_two_processes_seed_at_once(store: Store, store_settings: Settings) -> None:
    store.close()
    total = to_content(load_seeds(store_settings.include_dir / "knowledge"))
    expected = len(total.nodes) + len(total.edges)
    assert sorted(run_together(seed, store_settings, [(), ()])) == [0, expected]


def test_a_seed_never_wins_against_an_edit_made_meanwhile(store: Store) -> None:
    """What the revision's unique key is for: the row was read before somebody else changed it."""
    with store.session() as session:
        small_graph(session)
        row = knowledge_repository.get_node(session, DROP)
        stale = bulk.Change(
            {"row_id": row.id, "version": 1}, f"node:{DROP}", {}, knowledge_repository.content(row)
        )
    with store.session() as session, pytest.raises(Conflict):
        bulk.write_all(session, [stale], [], MIA, "import")


def other_edit(settings: Settings, wait: Callable[[], Any]) -> str:
    wait()
    with open_store(settings).session() as session:
        edits.add_node(session, "cause:frost", name="Frost", actor="ben")
    return "done"


def test_the_graph_is_kept_and_sees_what_others_commit(store: Store, store_settings: Settings) -> None:
    with store.session() as session:
        small_graph(session)
    with store.session(read_only=True) as session:
        graph = load_graph(session)
        assert load_graph(session) is graph
    with store.session() as session:
        edits.add_node(session, "cause:never", name="Never", actor=MIA)
        assert "cause:never" in load_graph(session)
        session.rollback()
    with store.session(read_only=True) as session:
        assert load_graph(session) is graph
    store.close()
    assert run_together(other_edit, store_settings, [()]) == ["done"]
    with store.session(read_only=True) as session:
        assert "cause:frost" in load_graph(session)
        assert root_causes(load_graph(session), session, [(CRACK, 1)], 1)[0].key == DROP
