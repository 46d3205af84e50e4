"""rebuild, evaluate, inspect and models as a script would call them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from anomalyos.cli import app
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.inspection.inspector import get_inspector
from tests.support.products import picture


@pytest.fixture(autouse=True)
def fresh_inspector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    get_inspector.cache_clear()


def run(*arguments: str, code: int = 0) -> Any:
    """Exit code and stdout of a command; JSON when it was asked for."""
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == code, result.output
    # one document and nothing else, or this fails
    return json.loads(result.stdout) if "--json" in arguments else result.stdout


def test_rebuild_of_what_did_not_change(built: Store) -> None:
    results = run("rebuild", "--category", "dots", "--json")["categories"]
    assert [(r["category"], r["version"], r["created"], r["promoted"]) for r in results] == [
        ("dots", 1, False, False)
    ]


def test_rebuild_goes_on_when_one_category_fails(settings: Settings, built: Store) -> None:
    folder = settings.data_dir / "empty/train/good"
    folder.mkdir(parents=True)
    results = run("rebuild", "--json", code=2)["categories"]
    assert {r["category"]: "error" in r for r in results} == {"dots": False, "empty": True, "stripes": False}


def test_evaluate_prints_every_category(built: Store) -> None:
    rows = run("evaluate", "--json")["categories"]
    assert [row["category"] for row in rows] == ["dots", "stripes"]
    table = run("evaluate", "--category", "dots")
    assert "dots" in table
    assert "1.000" in table


def test_inspect_tells_good_from_bad_from_unreadable(built: Store, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/good.png").write_bytes(picture("dots", 5000))
    (tmp_path / "in/bad.png").write_bytes(picture("stripes", 5001, flawed=True))
    assert len(run("inspect", str(tmp_path / "in"), "--json")["inspections"]) == 2
    (tmp_path / "in/zero.png").write_bytes(b"")
    document = run("inspect", str(tmp_path / "in"), "--json", code=1)
    verdicts = {Path(row["file"]).name: row["verdict"] for row in document["inspections"]}
    assert verdicts == {"good.png": "normal", "bad.png": "anomalous", "zero.png": "rejected"}
    bad = next(row for row in document["inspections"] if row["verdict"] == "anomalous")
    assert bad["p_value_in_words"].startswith("higher than all of the 12")
    assert bad["regions"]
    assert run("inspect", str(tmp_path / "in/zero.png"), "--json", code=2)["inspections"][0]["reject"]


def test_inspect_says_why(built: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from anomalyos.explain.explainer import get_explainer

    get_explainer.cache_clear()
    monkeypatch.delenv("GROQ_API_KEY", raising=False)
    run("rebuild", "--category", "dots")
    (tmp_path / "bad.png").write_bytes(picture("dots", 5002, flawed=True))
    row = run("inspect", str(tmp_path / "bad.png"), "--explain", "--json")["inspections"][0]
    assert row["verdict"] == "anomalous"
    assert [case["category"] for case in row["explanation"]["similar"]] == ["dots", "dots"]
    assert row["report"]["writer"] == "template"
    assert row["report"]["content"]["finding"][0]["cites"] == ["verdict"]
    text = run("inspect", str(tmp_path / "bad.png"), "--explain")
    assert "dots/test/stain/" in text
    assert "peak of the anomaly map" in text
    assert f"anomalyos report {row['id']}" in text


def test_inspect_without_a_file_says_so(built: Store, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["inspect", str(tmp_path / "nothing.png")])
    assert result.exit_code == 2
    assert "does not exist" in result.stderr
    assert result.stdout == ""


def test_models_move_forward_and_back(built: Store) -> None:
    run("rebuild", "--category", "dots", "--force")
    rows = run("models", "list", "--category", "dots", "--json")["models"]
    assert [(row["version"], row["champion"]) for row in rows] == [(2, True), (1, False)]
    assert run("models", "rollback", "dots", "--json")["version"] == 1
    assert run("models", "promote", "dots", "2", "--json")["version"] == 2
    assert "● in use" in run("models", "list")
    run("models", "promote", "dots", "2", code=2)
    run("models", "promote", "dots", "9", code=2)
    run("models", "rollback", "stripes", code=2)


def test_a_damaged_bundle_cannot_be_promoted(settings: Settings, built: Store) -> None:
    run("rebuild", "--category", "dots", "--force")
    run("models", "rollback", "dots")
    for bank in (settings.bundles_dir / "dots").glob("*/bank.faiss"):
        bank.write_bytes(b"damaged")
    run("models", "promote", "dots", "2", code=2)
    rows = run("models", "list", "--category", "dots", "--json")["models"]
    assert [row["champion"] for row in rows] == [False, True]
