"""``anomalyos search`` from the command line."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from anomalyos.cli import app
from anomalyos.db.engine import Store
from tests.knowledge.search.conftest import BagOfWords, embedder, plant

__all__ = ["embedder"]


def test_answers_as_json(store: Store, embedder: BagOfWords) -> None:
    plant(store)
    result = CliRunner().invoke(app, ["search", "craked", "shell", "--kind", "defect", "--json"])
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert document["query"] == "craked shell"
    assert document["hits"][0]["document_id"] == "defect:hazelnut/crack"
    assert document["hits"][0]["why"] == "words: cracked, shell"


@pytest.mark.parametrize(("until", "found"), [("2026-01-09", False), ("2026-01-10", True)])
def test_a_day_counts_to_its_end(store: Store, embedder: BagOfWords, until: str, found: bool) -> None:
    plant(store)
    result = CliRunner().invoke(app, ["search", "shell", "--until", until])
    assert result.exit_code == 0
    assert ("Nothing found" in result.stdout) != found


def test_an_empty_store_says_what_to_do(store: Store, embedder: BagOfWords) -> None:
    result = CliRunner().invoke(app, ["search", "shell"])
    assert result.exit_code == 2
    assert "knowledge seed" in result.stderr


def test_a_wrong_kind_is_refused(store: Store, embedder: BagOfWords) -> None:
    plant(store)
    result = CliRunner().invoke(app, ["search", "shell", "--kind", "users"])
    assert result.exit_code == 2
    assert "Choose from" in result.stderr
