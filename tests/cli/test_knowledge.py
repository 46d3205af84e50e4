from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from anomalyos.cli import app
from anomalyos.db.engine import Store
from tests.knowledge.knowledge_rows import case


def run(*arguments: str, code: int = 0) -> Any:
    """Stdout of a command, as JSON when that was asked for; stderr when it failed."""
    result = CliRunner().invoke(app, ["knowledge", *arguments], env={"COLUMNS": "200"})
    assert result.exit_code == code, result.output
    if code:
        return result.stderr
    return json.loads(result.stdout) if "--json" in arguments else result.stdout


def test_from_nothing_to_causes(store: Store) -> None:
    assert "empty" in run("show")
    assert "knowledge seed" in run("causes", "hazelnut", "crack", code=2)
    assert run("seed", "--json")["nodes"]["added"] > 600
    assert "unchanged" in run("seed")
    answer = run("causes", "hazelnut", "Crack", "-k", "2", "--json")
    assert answer["known"]
    assert [cause["key"] for cause in answer["causes"]] == [
        "cause:nut-dried-too-fast",
        "cause:cracker-gap-wrong",
    ]
    words = run("causes", "hazelnut", "crack")
    assert "0 of 0 established cases" in words
    assert "check:" in words
    assert "does not list defect:hazelnut/bruise" in run("causes", "hazelnut", "bruise")


def test_show_a_node_a_kind_and_what_is_not_there(store: Store) -> None:
    run("seed")
    node = run("show", "cause:insect-attack", "--json")
    assert {edge["relation"] for edge in node["leads_to"]} == {"arises_in", "remedied_by", "verified_by"}
    assert [entry["by"] for entry in node["history"]] == ["seed"]
    assert "caused by  Insect attack" in run("show", "defect:hazelnut/hole")
    assert len(run("show", "category", "--json")["nodes"]) == 32
    assert "cause:none" in run("show", "cause:none", code=2)
    assert "kind of node" in run("show", "tools", code=2)


def test_an_established_cause_moves_the_likelihoods_and_back(store: Store) -> None:
    run("seed")
    with store.session() as session:
        case_id = case(session, defect_type="crack", category="hazelnut")
    before = run("causes", "hazelnut", "crack", "--json")["causes"]
    rare = before[-1]
    now = run("confirm", str(case_id), rare["key"], "--note", "seen by eva", "--json")["cause"]
    assert now["probability"] > rare["probability"]
    assert (now["confirmed"], now["confirmed_all"]) == (1, 1)
    assert "case" in run("confirm", str(case_id), rare["key"], code=2)
    run("withdraw", str(case_id))
    after = run("causes", "hazelnut", "crack", "--json")["causes"]
    assert after == before
    assert "No cause of case" in run("withdraw", str(case_id), code=2)
    assert "not listed" in run("confirm", str(case_id), "cause:insect-attack", code=2)
    assert "1 of 1 cases" in run("confirm", str(case_id), "cause:insect-attack", "--add")


@pytest.mark.parametrize("name", ["graph.yaml", "graph.graphml"])
def test_export_and_import(store: Store, tmp_path: Path, name: str) -> None:
    run("seed")
    path = tmp_path / name
    assert run("export", str(path), "--json")["nodes"] > 600
    path.write_text(path.read_text(encoding="utf-8").replace("Insect attack", "Beetles"), encoding="utf-8")
    assert run("import", str(path), "--json")["nodes"]["updated"] == 1
    assert run("show", "cause:insect-attack", "--json")["name"] == "Beetles"
    run("seed")
    assert run("show", "cause:insect-attack", "--json")["name"] == "Beetles"
    assert "cannot be read" in run("import", str(tmp_path / "no.yaml"), code=2)
    assert "cannot be written" in run("export", str(tmp_path / "no/where.yaml"), code=2)
