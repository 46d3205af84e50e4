"""How well questions are answered, against judgements made before any answer was seen."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.progress import Progress
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.knowledge.search.engine import KnowledgeSearch
from anomalyos.knowledge.seeds import ensure_seeded

DEPTH = 5
REACH = 20
"""Answers looked through for the first relevant one; none among them counts 0 for the MRR."""
WAYS: dict[str, dict[str, Any]] = {
    "hybrid": {"mode": "hybrid"},
    "bm25": {"mode": "bm25"},
    "embedding": {"mode": "embedding"},
    "hybrid, nothing mended": {"mode": "hybrid", "correct_spelling": False},
    "bm25, nothing mended": {"mode": "bm25", "correct_spelling": False},
    "embedding, nothing mended": {"mode": "embedding", "correct_spelling": False},
}


class Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class JudgedQuestion(Strict):
    """A question with what answers it: 2 for what the asker wants, 1 for what also helps."""

    ask: str
    relevant: dict[str, int] = Field(min_length=1)
    kinds: tuple[str, ...] | None = None
    category: str | None = None
    severity: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def filters(self) -> dict[str, Any]:
        return self.model_dump(include={"kinds", "category", "severity", "since", "until"})


class QuestionFile(Strict):
    development: tuple[JudgedQuestion, ...]
    """Weights were chosen on these, and they are in no reported figure."""
    questions: tuple[JudgedQuestion, ...]


def read_questions(path: Path) -> QuestionFile:
    """The judged questions of a YAML file.

    Raises:
        AnomalyOSError: it cannot be read, or is not such a file.
    """
    import yaml

    try:
        return QuestionFile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise AnomalyOSError(
            f"{path.name} holds no judged questions: {error}", "Name a file like questions.yaml."
        ) from error


def evaluate_on_seeds(
    path: Path,
    settings: Settings,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Every way to search over the knowledge as it is delivered, in a home that exists for this only.

    What an installation has learned changes neither the documents nor the figures. Those of the
    development questions stand apart, under ``development``.
    """
    file = read_questions(path)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        own = settings.model_copy(update={"home": home, "database_url": f"sqlite:///{home / 'anomalyos.db'}"})
        store = Store(own)
        try:
            store.upgrade()
            ensure_seeded(store, own)
            engine = KnowledgeSearch(own, store)
            documents = engine.prepare(progress)
            development = evaluate(engine, file.development)
            return {
                "documents": documents,
                **evaluate(engine, file.questions),
                "development": {key: development[key] for key in ("questions", "ways")},
            }
        finally:
            store.close()


def evaluate(engine: KnowledgeSearch, questions: Sequence[JudgedQuestion]) -> dict[str, Any]:
    """Means over the questions for every way, and each question's answers in hybrid search.

    Raises:
        AnomalyOSError: a judgement names a document that does not exist.
    """
    missing = {name for question in questions for name in question.relevant} - engine.document_ids()
    if missing:
        raise AnomalyOSError(f"Judged documents that do not exist: {', '.join(sorted(missing))}.")
    ways = {name: mean_figures(engine, questions, how) for name, how in WAYS.items()}
    return {
        "questions": len(questions),
        "ways": ways,
        "answers": [judged_answer(engine, question) for question in questions],
    }


def judged_answer(engine: KnowledgeSearch, question: JudgedQuestion) -> dict[str, Any]:
    found = answer(engine, question, WAYS["hybrid"])
    return {
        "ask": question.ask,
        "found": [{"id": name, "judged": question.relevant.get(name, 0)} for name in found[:DEPTH]],
        "first_relevant_at": first_relevant(found, question.relevant),
    }


def answer(engine: KnowledgeSearch, question: JudgedQuestion, how: Mapping[str, Any]) -> list[str]:
    return [hit.document_id for hit in engine.search(question.ask, k=REACH, **question.filters, **how)]


def mean_figures(
    engine: KnowledgeSearch, questions: Sequence[JudgedQuestion], how: Mapping[str, Any]
) -> dict[str, float]:
    rows = [figures(answer(engine, question, how), question.relevant) for question in questions]
    return {key: round(sum(row[key] for row in rows) / len(rows), 4) for key in rows[0]}


def figures(found: Sequence[str], relevant: Mapping[str, int]) -> dict[str, float]:
    """P@5, P@5 by its possible maximum, reciprocal rank, nDCG@5 and recall@5 of one ranked answer.

    nDCG is that of Järvelin and Kekäläinen (2002) with gain 2^grade - 1 and discount log2(rank + 1).
    """
    hits = sum(name in relevant for name in found[:DEPTH])
    possible = min(DEPTH, len(relevant))
    first = first_relevant(found, relevant)
    ideal = sorted(relevant.values(), reverse=True)[:DEPTH]
    return {
        "precision_5": hits / DEPTH,
        "precision_5_of_possible": hits / possible,
        "mrr": 1 / first if first else 0.0,
        "ndcg_5": gain([relevant.get(name, 0) for name in found[:DEPTH]]) / gain(ideal),
        "recall_5": hits / len(relevant),
    }


def gain(grades: Sequence[int]) -> float:
    """Discounted cumulative gain of grades in the order they were found."""
    return math.fsum((2.0**grade - 1) / math.log2(rank + 1) for rank, grade in enumerate(grades, start=1))


def first_relevant(found: Sequence[str], relevant: Mapping[str, int]) -> int | None:
    """Rank from 1 of the first relevant answer."""
    return next((rank for rank, name in enumerate(found, start=1) if name in relevant), None)
