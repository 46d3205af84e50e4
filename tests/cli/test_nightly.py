from __future__ import annotations

import json
import os
import time

from typer.testing import CliRunner

from anomalyos.cli import app
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from tests.support.products import picture

DAY = "2026-11-23"


def drop(settings: Settings, name: str, data: bytes) -> None:
    path = settings.inbox_dir / DAY / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (time.time() - 60, time.time() - 60))


def test_a_night_as_json_and_again(settings: Settings, built: Store) -> None:
    drop(settings, "stripes/1.png", picture("stripes", 7000))
    drop(settings, "2.png", picture("dots", 7001, flawed=True))
    result = CliRunner().invoke(app, ["nightly", "--date", DAY, "--json"])
    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout)
    assert summary["now"] == {"normal": 1, "anomalous": 1}
    again = CliRunner().invoke(app, ["nightly", "--date", DAY, "--json"])
    assert json.loads(again.stdout)["now"] == {"skipped": 2}


def test_rejected_images_are_exit_code_1(settings: Settings, built: Store) -> None:
    drop(settings, "1.png", b"not an image")
    result = CliRunner().invoke(app, ["nightly", "--date", DAY])
    assert result.exit_code == 1
    assert f"/?batch=night-{DAY}" in result.stdout


def test_a_product_without_a_model_is_exit_code_2_and_said(settings: Settings, built: Store) -> None:
    drop(settings, "bolt/1.png", picture("stripes", 7000))
    result = CliRunner().invoke(app, ["nightly", "--date", DAY])
    assert result.exit_code == 2
    assert "incomplete" in result.output


def test_no_date_at_all_is_exit_code_2(settings: Settings, built: Store) -> None:
    result = CliRunner().invoke(app, ["nightly", "--date", "yesterday"])
    assert result.exit_code == 2
    assert "is not a date" in result.output
