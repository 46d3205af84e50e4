"""The promise of ``inspect --explain`` on real photographs, without a key and without a network."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import NoReturn

import pytest
from typer.testing import CliRunner

from anomalyos.cli import app
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.explain.explainer import get_explainer
from anomalyos.inspection.inspector import get_inspector
from tests.images.pictures import SHARED, needs_shared_data

pytestmark = needs_shared_data


def test_a_real_hazelnut_is_explained_offline(
    settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = SHARED / "mvtec_ad_reduced/hazelnut"

    def refuse(*args: object) -> NoReturn:
        raise AssertionError(f"a connection was tried: {args}")

    monkeypatch.delenv("GROQ_API_KEY", raising=False)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    get_inspector.cache_clear()
    get_explainer.cache_clear()
    runner = CliRunner()
    for command in (["data", "import", str(source)], ["rebuild", "--category", "hazelnut"]):
        result = runner.invoke(app, command)
        assert result.exit_code == 0, result.output
    crack: Path = source / "test/crack/000.png"
    result = runner.invoke(app, ["inspect", str(crack), "--explain", "--json"])
    assert result.exit_code == 0, result.output
    row = json.loads(result.stdout)["inspections"][0]
    found, report = row["explanation"], row["report"]
    assert (row["verdict"], row["category"]) == ("anomalous", "hazelnut")
    assert row["regions"]
    assert len(found["similar"]) == 5
    assert found["similar"][0]["defect_type"] == "crack"
    assert len(found["causes"]) == 5
    probabilities = [cause["probability"] for cause in found["causes"]]
    assert probabilities == sorted(probabilities, reverse=True)
    for cause in found["causes"]:
        assert cause["path"][0]["kind"] in ("case", "category")
        assert cause["path"][-1]["key"] == cause["key"]
        assert cause["remedies"]
    parts = sum(value["contribution"] for value in found["shap"]["values"])
    assert found["shap"]["base"] + parts == pytest.approx(found["shap"]["output"], abs=1e-6)
    assert found["shap"]["fidelity"]["r2"] > 0.5
    assert len(found["trace"]) == 5
    assert {cam["method"] for cam in found["cams"]} == {"gradcam_pp", "hirescam"}
    assert found["missing"] == {}
    assert (report["writer"], report["unsupported"]) == ("template", 0)
