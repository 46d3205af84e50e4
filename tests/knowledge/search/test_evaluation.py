"""The figures of an evaluation, and that the committed questions can be asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from anomalyos.cli.search import QUESTIONS
from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.knowledge.search import KnowledgeSearch
from anomalyos.knowledge.search.evaluation import JudgedQuestion, evaluate, figures, read_questions
from anomalyos.knowledge.search.fusion import asked_kinds, fused_scores, saturated
from anomalyos.knowledge.seeds import ensure_seeded


def test_figures_of_a_known_answer() -> None:
    row = figures(["x", "a", "y", "b", "z", "c"], {"a": 2, "b": 1, "c": 2})
    assert row["precision_5"] == pytest.approx(2 / 5)
    assert row["precision_5_of_possible"] == pytest.approx(2 / 3)
    assert row["recall_5"] == pytest.approx(2 / 3)
    assert row["mrr"] == pytest.approx(1 / 2)
    # gains 3, 1 at ranks 2, 4 against 3, 3, 1 at ranks 1, 2, 3
    assert row["ndcg_5"] == pytest.approx((3 / 1.58496 + 1 / 2.32193) / (3 + 3 / 1.58496 + 1 / 2), abs=1e-4)


def test_a_perfect_and_an_empty_answer() -> None:
    assert set(figures(["a", "b"], {"a": 2, "b": 1}).values()) == {1.0, 2 / 5}
    assert set(figures([], {"a": 1}).values()) == {0.0}


def test_the_committed_questions_name_documents_that_exist(settings: Settings, store: Store) -> None:
    ensure_seeded(store, settings)
    file = read_questions(QUESTIONS)
    assert len(file.questions) == 50
    assert not {q.ask for q in file.questions} & {q.ask for q in file.development}
    named = {name for q in (*file.questions, *file.development) for name in q.relevant}
    assert named - KnowledgeSearch(settings, store).document_ids() == set()


def test_evaluation_of_every_way(engine: KnowledgeSearch) -> None:
    question = JudgedQuestion(ask="cracked shell", relevant={"defect:hazelnut/crack": 2})
    result = evaluate(engine, [question])
    assert result["ways"]["bm25"]["mrr"] == 1.0
    assert result["answers"][0]["first_relevant_at"] == 1


def test_a_judgement_of_nothing_is_refused(engine: KnowledgeSearch) -> None:
    with pytest.raises(AnomalyOSError, match="cause:gone"):
        evaluate(engine, [JudgedQuestion(ask="x", relevant={"cause:gone": 1})])


@pytest.mark.parametrize(
    "content", ["", "questions: 3", "development: []\nquestions: [{ask: x, relevant: {}}]", "{"]
)
def test_other_files_are_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "other.yaml"
    path.write_text(content)
    with pytest.raises(AnomalyOSError, match=r"other\.yaml"):
        read_questions(path)


def test_fusion() -> None:
    assert saturated(0, 5) == 0
    assert saturated(5, 5) == 0.5
    scores = fused_scores({1: 5.0, 2: 1.0}, {2: 0.9, 3: -0.5}, 5.0, words_share=0.5)
    assert scores == pytest.approx({1: 0.25, 2: 0.5 / 6 + 0.45, 3: 0.0})


def test_the_kind_a_question_asks_for() -> None:
    assert asked_kinds("why does it crack") == {"cause"}
    assert asked_kinds("what to check, and how to fix it") == {"check", "remedy"}
    assert asked_kinds("blowhole") == frozenset()
