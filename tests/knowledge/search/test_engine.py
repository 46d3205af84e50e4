"""The search as it is called: in step with the store, filtered, and deaf to commands in a question."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from anomalyos.cases.tables import DefectCase
from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.inspection import reviews
from anomalyos.inspection.tables import Batch, Inspection, Review, Verdict
from anomalyos.knowledge.search import KnowledgeSearch, corpus, get_search
from anomalyos.knowledge.search import engine as engines
from anomalyos.knowledge.tables import KnowledgeNode
from tests.knowledge.search.conftest import JANUARY, BagOfWords, node

MODES = engines.MODES


def ids(engine: KnowledgeSearch, query: str, **how: Any) -> list[str]:
    return [hit.document_id for hit in engine.search(query, **how)]


def add_case(store: Store, note: str, change: int, **fields: Any) -> int:
    row = DefectCase(
        content_key=f"key-{change}",
        category=fields.pop("category", "hazelnut"),
        defect_type="crack",
        severity="functional",
        origin="import",
        source="a.png",
        image_sha256="0",
        image_path="a",
        crop_path="b",
        note=note,
        added_by="mia",
        added_at=JANUARY,
        change=change,
        **fields,
    )
    with store.session() as session:
        session.add(row)
        session.flush()
        assert row.id is not None
    return row.id


def add_inspection(store: Store) -> int:
    with store.session() as session:
        batch = session.exec(select(Batch)).first() or Batch(key="night", kind="nightly", day="2026-01-01")
        session.add(batch)
        session.flush()
        count = len(session.exec(select(Inspection)).all())
        row = Inspection(
            work_key=f"w{count}",
            batch_id=batch.id,
            source="a.png",
            content_sha256="0",
            verdict=Verdict.ANOMALOUS.value,
            routed_category="hazelnut",
        )
        session.add(row)
        session.flush()
        assert row.id is not None
        return row.id


def decide(store: Store, inspection: int, version: int, note: str, decision: str = "defect") -> None:
    with store.session() as session:
        reviews.decide(
            session,
            inspection_id=inspection,
            decision=decision,
            actor="mia",
            expected_version=version,
            defect_type="crack",
            note=note,
        )


@pytest.mark.parametrize("mode", MODES)
def test_a_plain_question_finds_what_answers_it(engine: KnowledgeSearch, mode: str) -> None:
    assert "defect:hazelnut/crack" in ids(engine, "cracked shell", mode=mode, k=3)


def test_neighbours_lead_to_a_document(engine: KnowledgeSearch) -> None:
    """The remedy's own text says nothing of shells."""
    assert "remedy:gentle-drying" in ids(engine, "cracked shell", mode="bm25")


def test_the_kind_asked_for_comes_first(engine: KnowledgeSearch) -> None:
    assert ids(engine, "why cracked shell")[0] in {"cause:dried-too-fast", "defect:hazelnut/crack"}
    plain = {hit.document_id: hit.score for hit in engine.search("cracked shell")}
    asked = {hit.document_id: hit.score for hit in engine.search("why cracked shell")}
    assert asked["cause:dried-too-fast"] > 0
    assert plain.keys() == asked.keys()


def test_a_hit_says_why_and_where(engine: KnowledgeSearch) -> None:
    hit = next(h for h in engine.search("craked shells", mode="bm25") if h.kind == "defect")
    assert hit.why == "words: cracked, shells"
    marked = [getattr(hit, span.where)[span.start : span.stop] for span in hit.spans]
    assert marked == ["Cracked", "shell", "shell"]
    assert (hit.category, hit.severity, hit.date) == ("hazelnut", "functional", JANUARY)
    assert engine.search("zzzz qqqq", mode="embedding")[0].why == "by meaning"


def test_a_shared_check_belongs_to_every_category_it_serves(engine: KnowledgeSearch) -> None:
    (hit,) = engine.search("measure moisture", kinds=["check"])
    assert hit.categories == ("hazelnut", "magnet")
    assert hit.category == ""


@pytest.mark.parametrize("mode", MODES)
def test_filters_hold(engine: KnowledgeSearch, mode: str) -> None:
    for hit in engine.search("moisture shell pore", mode=mode, category="magnet", kinds=["cause", "defect"]):
        assert "magnet" in hit.categories
        assert hit.kind in {"cause", "defect"}
    assert ids(engine, "shell", mode=mode, severity="critical", kinds=["defect"]) in (
        [],
        ["defect:magnet/blowhole"],
    )
    assert ids(engine, "shell", mode=mode, since=JANUARY + timedelta(days=1)) == []
    assert ids(engine, "shell", mode=mode, until=JANUARY - timedelta(days=1)) == []
    assert ids(engine, "shell", mode=mode, since=JANUARY, until=JANUARY) != []
    assert ids(engine, "shell", mode=mode, category="no such product") == []


@pytest.mark.parametrize("mode", MODES)
def test_a_filter_changes_no_order(engine: KnowledgeSearch, mode: str) -> None:
    whole = engine.search("moisture splits the shell", mode=mode, k=50)
    for kinds in (["cause"], ["cause", "check"], ["defect", "step", "sign"]):
        kept = [(hit.document_id, hit.score) for hit in whole if hit.kind in kinds]
        found = engine.search("moisture splits the shell", mode=mode, kinds=kinds, k=50)
        assert [(hit.document_id, hit.score) for hit in found] == kept


@pytest.mark.parametrize("query", ["", "   ", "\x00\x01", "??!", "---"])
def test_a_question_without_a_word_has_no_answer(engine: KnowledgeSearch, query: str) -> None:
    assert engine.search(query) == []


@pytest.mark.parametrize(
    "query",
    [
        'kind:cause AND "shell',
        "title:[* TO *]",
        "shell) OR (1=1",
        "+shell -cracked ^9 ~2 *:* \\",
        "'; DROP TABLE review; --",
        "shell " * 5000,
        "\x1b[31m shell\x00",
        "\ud800 shell",
        "💥💥 shell 殻",
    ],
)
@pytest.mark.parametrize("mode", MODES)
def test_a_question_is_text_and_never_a_command(engine: KnowledgeSearch, mode: str, query: str) -> None:
    kinds = {hit.kind for hit in engine.search(query, mode=mode, kinds=["defect"])}
    assert kinds == ({"defect"} if "shell" in query or mode != "bm25" else set())


@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": "sql"},
        {"kinds": ["cause", "user"]},
        {"severity": "bad"},
        {"k": 0},
        {"k": 101},
        {"since": JANUARY, "until": JANUARY - timedelta(seconds=1)},
    ],
)
def test_what_cannot_be_asked_is_refused(engine: KnowledgeSearch, wrong: dict[str, Any]) -> None:
    with pytest.raises(AnomalyOSError) as refusal:
        engine.search("shell", **wrong)
    assert refusal.value.hint


def test_what_others_write_is_found_at_once(engine: KnowledgeSearch, store: Store) -> None:
    assert "remedy:wax" not in ids(engine, "weevil wax")
    with store.session() as session:
        session.add(node("remedy:wax", "Weevil wax"))
    assert ids(engine, "weevil wax")[0] == "remedy:wax"
    with store.session() as session:
        row = session.exec(select(KnowledgeNode).where(KnowledgeNode.key == "remedy:wax")).one()
        row.name, row.version = "Borer paste", 2
    assert engine.search("borer paste")[0].title == "Borer paste"
    with store.session() as session:
        row = session.exec(select(KnowledgeNode).where(KnowledgeNode.key == "remedy:wax")).one()
        row.removed_at = datetime.now(UTC)
    assert "remedy:wax" not in ids(engine, "borer paste", k=50)


def test_cases_come_and_go(engine: KnowledgeSearch, store: Store) -> None:
    number = add_case(store, "weevil damage behind press 4", change=1)
    hit = engine.search("weevil press")[0]
    assert (hit.document_id, hit.title) == (f"case:{number}", "Crack · Hazelnut")
    assert ids(engine, "weevil", kinds=["case"], category="hazelnut") == [f"case:{number}"]
    with store.session() as session:
        row = session.get_one(DefectCase, number)
        row.removed_at, row.change = datetime.now(UTC), 2
    assert ids(engine, "weevil press", kinds=["case"]) == []
    with store.session() as session:
        row = session.get_one(DefectCase, number)
        row.removed_at, row.change = None, 3
    assert ids(engine, "weevil press", kinds=["case"]) == [f"case:{number}"]


def test_only_the_note_that_stands_is_found(engine: KnowledgeSearch, store: Store) -> None:
    inspection = add_inspection(store)
    decide(store, inspection, 0, "weevil frass on the belt")
    (first,) = engine.search("frass", kinds=["note"])
    assert (first.document_id, first.category, first.text) == (
        "note:review:1",
        "hazelnut",
        "weevil frass on the belt",
    )
    decide(store, inspection, 1, "only dust", decision="false_alarm")
    assert [hit.text for hit in engine.search("frass dust", kinds=["note"])] == ["only dust"]
    with store.session() as session:
        reviews.undo(session, inspection_id=inspection, actor="mia", expected_version=2)
    assert [hit.text for hit in engine.search("frass", kinds=["note"])] == ["weevil frass on the belt"]
    with store.session() as session:
        reviews.undo(session, inspection_id=inspection, actor="mia", expected_version=3)
    assert engine.search("frass dust", kinds=["note"]) == []


def test_a_review_committed_after_a_later_one_is_not_missed(engine: KnowledgeSearch, store: Store) -> None:
    one, two = add_inspection(store), add_inspection(store)

    def write(number: int, inspection: int, note: str) -> None:
        with store.session() as session:
            session.add(
                Review(
                    id=number, inspection_id=inspection, version=1, decision="defect", note=note, reviewer="a"
                )
            )
            session.get_one(Inspection, inspection).review_version = 1

    write(9, two, "late shift")
    assert len(engine.search("shift", kinds=["note"])) == 1
    write(8, one, "early shift")
    assert len(engine.search("shift", kinds=["note"])) == 2


@pytest.mark.parametrize("mode", MODES)
def test_following_gives_what_reading_anew_gives(
    settings: Settings, store: Store, engine: KnowledgeSearch, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpus, "LEAST_TO_COMPACT", 0)
    monkeypatch.setattr(corpus, "MOST_DEAD", 0.0)
    for change in range(1, 9):
        number = add_case(store, f"weevil number {change} in the shell" * (1 + change % 3), change * 2 - 1)
        engine.search("weevil", mode=mode)
        if change % 2:
            with store.session() as session:
                row = session.get_one(DefectCase, number)
                row.removed_at, row.change = datetime.now(UTC), change * 2
    fresh = KnowledgeSearch(settings, store)
    for query in ("weevil in shell", "weevil number 4", "why is the shell split"):
        followed = {hit.document_id: hit.score for hit in engine.search(query, mode=mode, k=40)}
        anew = {hit.document_id: hit.score for hit in fresh.search(query, mode=mode, k=40)}
        assert followed == pytest.approx(anew, abs=1e-4)


def test_only_new_texts_are_embedded(
    settings: Settings, store: Store, engine: KnowledgeSearch, embedder: BagOfWords
) -> None:
    documents = engine.prepare()
    assert documents == len(embedder.embedded) == 10
    embedder.embedded.clear()
    assert KnowledgeSearch(settings, store).prepare() == documents
    assert embedder.embedded == []
    add_case(store, "a weevil", change=1)
    engine.search("weevil")
    assert embedder.embedded == ["case: Crack · Hazelnut. a weevil", "weevil"]


def test_words_alone_need_no_embedder(engine: KnowledgeSearch, embedder: BagOfWords) -> None:
    assert ids(engine, "shell", mode="bm25")
    assert embedder.embedded == []


def test_one_search_for_each_store(settings: Settings, store: Store) -> None:
    assert get_search(settings, store) is get_search(settings, store)


@pytest.mark.parametrize(
    "query", ["dried nuts crack", "pore open gas", "measure moisture", "narrow dark line"]
)
def test_a_candidate_of_one_list_has_the_score_of_both(
    engine: KnowledgeSearch, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    """What only one list holds above its cut is looked up in the other: the score is that without a cut."""
    everything = {hit.document_id: hit.score for hit in engine.search(query, k=engines.MOST_HITS)}
    monkeypatch.setattr(engines, "CANDIDATES", 1)
    for k in (1, 2):
        cut = engine.search(query, k=k)
        assert len(cut) == k
        for hit in cut:
            assert hit.score == pytest.approx(everything[hit.document_id])
