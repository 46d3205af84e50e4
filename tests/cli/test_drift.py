"""``drift`` and ``simulate`` as a script would call them."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from anomalyos.cli import app
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from tests.cli.test_main_job import run
from tests.drift.drift_home import small_windows


@pytest.fixture(autouse=True)
def rules(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    small_windows(settings)


def test_a_rehearsal_from_nothing_to_drift_and_back(built: Store, settings: Settings) -> None:
    young = run("drift", "--json")["checks"]
    assert [(row["category"], row["outcome"]) for row in young] == [
        ("dots", "too_few"),
        ("stripes", "too_few"),
    ]
    words = run("simulate", "drift", "dots", "--count", "12")
    assert "Injected 14 clean records first: the model had too few to compare with." in words
    assert "Injected 12 drifted records of dots." in words
    (row,) = run("drift", "dots", "--json", code=1)["checks"]
    assert (row["outcome"], row["injected_count"], row["reference_count"]) == ("drifted", 26, 14)
    assert (settings.drift_dir / row["page_path"]).is_file()
    told = run("drift", code=1)
    assert "dots drifted: " in told
    assert "26 of the records were injected." in told
    assert str(settings.drift_dir / row["page_path"]) in told
    assert run("simulate", "clear", "--json") == {"removed": 26}
    assert "There were none." in run("simulate", "clear")


def test_a_product_without_a_model(built: Store) -> None:
    for command in (["drift", "nuts"], ["simulate", "drift", "nuts"]):
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 2
        assert "No model is in use for: nuts." in result.output
