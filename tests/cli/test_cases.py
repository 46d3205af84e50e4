from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from anomalyos.cases import repository as case_repository
from anomalyos.cli import app
from anomalyos.db.engine import Store


def run(*arguments: str) -> Any:
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture
def imported(built: Store) -> Store:
    run("cases", "import")
    return built


def test_cases_are_imported_listed_removed_and_restored(imported: Store) -> None:
    assert run("cases", "import", "--category", "dots")["categories"]["dots"]["known"] == 2
    listed = run("cases", "list", "--category", "dots")
    assert listed["total"] == 2
    first = listed["cases"][0]
    assert (first["defect_type"], first["source"]) == ("stain", "dots/test/stain/000.png")
    number = str(first["id"])
    run("cases", "remove", number, "--reason", "wrong label")
    assert run("cases", "list")["total"] == 3
    assert [row["id"] for row in run("cases", "list", "--removed")["cases"]] == [first["id"]]
    with imported.session(read_only=True) as session:
        assert case_repository.get(session, first["id"]).removed_by.startswith("cli:")
    again = CliRunner().invoke(app, ["cases", "remove", number])
    assert again.exit_code == 2
    run("cases", "restore", number)
    assert run("cases", "rebuild") == {"cases": 4, "embedded": 0, "unreadable": 0}


def test_people_read_tables(imported: Store) -> None:
    shown = CliRunner().invoke(app, ["cases", "list"])
    assert "stain" in shown.stdout
    assert "4 of 4" in shown.stdout


def test_retrieval_is_evaluated(built: Store) -> None:
    result = run("evaluate-retrieval")
    assert result["router"]["accuracy"] == 1.0
    row = result["sets"]["dots"]["mask"]["image"]["hierarchical"]
    assert (row["questions"], row["p_at_5_of_possible"]) == (2, 1.0)
