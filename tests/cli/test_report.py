"""``anomalyos report`` from evidence to files, kept in the store."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from anomalyos.cli import report as command
from anomalyos.cli.output import FriendlyGroup
from anomalyos.core.errors import NotFound
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.explain.evidence import Evidence
from anomalyos.reports import repository as reports
from tests.reports.examples import evidence
from tests.support.rows import inspection


@dataclass
class KnownEvidence:
    """Stands in for the explainer, whose work is tested where it is done."""

    settings: Settings
    store: Store
    number: int

    def explain(self, inspection_id: int, progress: Callable[[str, float], None]) -> Evidence:
        progress("similar", 0.0)
        if inspection_id != self.number:
            raise NotFound(f"There is no inspection {inspection_id}.", "List the inspections.")
        return evidence({"id": inspection_id})


@pytest.fixture
def number(settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.delenv("GROQ_API_KEY", raising=False)
    with store.session() as session:
        number = inspection(session)
    known = KnownEvidence(settings.model_copy(update={"groq_api_key": None}), store, number)
    monkeypatch.setattr(command, "get_explainer", lambda: known)
    return number


def run(*arguments: str) -> Result:
    app = typer.Typer(cls=FriendlyGroup, pretty_exceptions_enable=False)
    app.command(name="report")(command.report)
    app.command(name="other")(lambda: None)
    return CliRunner().invoke(app, ["report", *arguments])


def test_sentences_for_people_and_a_row_in_the_store(number: int, store: Store) -> None:
    result = run(str(number))
    assert result.exit_code == 0, result.output
    assert "- Measure the humidity (for the cause: Drying too fast)." in result.stdout
    assert "[check:fast-drying-humidity]" in result.stdout
    assert "ANOMALYOS_GROQ_API_KEY" in result.stderr
    with store.session(read_only=True) as session:
        kept = reports.latest(session, number)
        assert kept is not None
        assert (kept.writer, kept.actor) == ("template", "cli")


def test_files_and_json(number: int, tmp_path: Path) -> None:
    html, pdf = tmp_path / "r.html", tmp_path / "r.pdf"
    result = run(str(number), "--html", str(html), "--pdf", str(pdf), "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["writer"] == "template"
    assert document["content"]["finding"][0]["cites"] == ["verdict"]
    assert html.read_bytes().startswith(b"<!doctype html>")
    assert pdf.read_bytes().startswith(b"%PDF-")


def test_what_cannot_be_done_is_said(number: int, tmp_path: Path) -> None:
    assert run("404").exit_code == 2
    result = run(str(number), "--html", str(tmp_path / "no" / "r.html"))
    assert result.exit_code == 2
    assert "cannot be written" in " ".join(result.stderr.split())
