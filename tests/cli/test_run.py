from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from anomalyos.cli import app
from anomalyos.core.settings import Settings
from anomalyos.db.engine import open_store
from anomalyos.ops.doctor import Check


def test_db_upgrade_makes_the_database(settings: Settings) -> None:
    assert CliRunner().invoke(app, ["db", "upgrade"]).exit_code == 0
    open_store(settings).check()


@pytest.mark.parametrize(("ok", "code"), [(True, 0), (False, 2)])
def test_doctor_says_what_to_do(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, ok: bool, code: int
) -> None:
    checks = [Check("Python", True, "3.11"), Check("port", ok, "taken", "" if ok else "Stop it.")]
    monkeypatch.setattr("anomalyos.cli.run.examine", lambda settings: checks)
    result = CliRunner().invoke(app, ["doctor", "--json"])
    assert result.exit_code == code
    document = json.loads(result.stdout)
    assert document["healthy"] is ok
    assert [check["name"] for check in document["checks"]] == ["Python", "port"]
    text = CliRunner().invoke(app, ["doctor"])
    assert text.exit_code == code
    assert ("Stop it." in text.stdout) is not ok


def test_up_refuses_unsafe_production(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "environment", "production")
    result = CliRunner().invoke(app, ["up"])
    assert result.exit_code == 2
    assert "not safe in production" in result.output
