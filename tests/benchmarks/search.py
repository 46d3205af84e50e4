"""Search on judged questions: hybrid against words alone and meaning alone, with and without mending."""

from __future__ import annotations

from pathlib import Path

from anomalyos.core.settings import get_settings
from anomalyos.knowledge.search import fusion, lexical
from anomalyos.knowledge.search.evaluation import evaluate_on_seeds
from tests.benchmarks.record import write_result

QUESTIONS = Path(__file__).parent / "questions.yaml"


def main() -> Path:
    figures = evaluate_on_seeds(QUESTIONS, get_settings())
    return write_result(
        "search",
        {
            "judged": "by reading the delivered knowledge, before any of these questions was asked; answers "
            "nobody judged count as wrong",
            "weights": {
                "fields": lexical.FIELDS,
                "words_share": fusion.WORDS_SHARE,
                "asked_kind": fusion.ASKED_KIND,
                "chosen_on": "the development questions alone",
            },
            **figures,
        },
    )
