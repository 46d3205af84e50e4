"""`anomalyos tune`: the comparison as a table and as JSON, with nothing built."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from anomalyos.cli import app
from anomalyos.cli.tune import print_results
from anomalyos.core.settings import Settings
from anomalyos.patchcore import tuning
from anomalyos.patchcore.tuning import Candidate, Tuning
from tests.support.products import write_product


def test_the_comparison_is_made_and_nothing_is_built(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "CANDIDATES", ("lite", "lite2"))
    write_product(settings.data_dir, "dots", good=0, flawed=0)
    result = CliRunner().invoke(app, ["tune", "--category", "dots", "--json"])
    assert result.exit_code == 0, result.output
    (found,) = json.loads(result.stdout)["categories"]
    assert found["category"] == "dots"
    assert [row["recipe"] for row in found["candidates"]] == ["lite", "lite2"]
    assert found["chosen"] in {"lite", "lite2"}
    assert found["pictures"] == len(found["groups"]) == 12
    assert not settings.bundles_dir.exists()


def test_the_table_marks_the_chosen_one(capsys: pytest.CaptureFixture[str]) -> None:
    rows = (
        Candidate("dinov2_s", 0.931, 0.011, 0.009, {}, 61.2),
        Candidate("lite_448", 0.942, 0.0, 0.0, {}, 88.0),
    )
    print_results([{"category": "dots", **Tuning("dinov2_s", "It is preferred.", rows, 60).to_json()}])
    lines = capsys.readouterr().out.splitlines()
    marked = [line for line in lines if "●" in line]
    assert len(marked) == 1
    assert "dinov2_s" in marked[0]
    assert "61" in marked[0]
    assert any("lite_448" in line and "0.942" in line for line in lines)
    assert "dots: dinov2_s. It is preferred." in lines


def test_untried_prints_the_reason_alone(capsys: pytest.CaptureFixture[str]) -> None:
    print_results([{"category": "dots", **Tuning("dinov2_s", "Taken untried.").to_json()}])
    assert capsys.readouterr().out.splitlines()[0] == "dots: dinov2_s. Taken untried."
