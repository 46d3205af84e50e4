"""``anomalyos data check`` and ``data quarantine``: exit codes for CI, and what people and programs read."""

from __future__ import annotations

import json
import os
import time
from typing import Any

from click.testing import Result
from typer.testing import CliRunner

from anomalyos.accounts import audit
from anomalyos.cli import app
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from tests.quality.suites import VIOLATIONS
from tests.support.products import picture, write_product


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["data", *arguments])


def document(result: Result) -> Any:
    return json.loads(result.stdout)


def test_the_exit_code_tells_good_from_set_aside_from_stopped(settings: Settings, store: Store) -> None:
    train = write_product(settings.data_dir, "dots", good=0, flawed=0) / "train" / "good"
    result = run("check", "dots", "--json")
    assert (result.exit_code, document(result)["checks"][0]["outcome"]) == (0, "passed")
    (train / "cmyk.jpg").write_bytes(VIOLATIONS["cmyk"][0])
    result = run("check", "dots", "--json")
    check = document(result)["checks"][0]
    assert (result.exit_code, check["outcome"]) == (1, "set_aside")
    assert check["set_aside"][0]["file"] == "train/good/cmyk.jpg"
    for path in sorted(train.glob("*.png"))[3:]:
        path.unlink()
    result = run("check", "dots")
    assert result.exit_code == 2
    assert "at least 5 are needed" in result.stdout
    assert run("check", "nothing").exit_code == 2


def test_a_night_is_checked_without_being_inspected(settings: Settings, store: Store) -> None:
    for name, data in (("dots/1.png", picture("dots", 1)), ("dots/2.png", VIOLATIONS["black"][0])):
        path = settings.inbox_dir / "2026-11-24" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, (time.time() - 60, time.time() - 60))
    result = run("check", "--night", "2026-11-24", "--json")
    assert result.exit_code == 0
    check = document(result)["checks"][0]
    assert (check["batch"], check["outcome"], check["images"]) == ("night-2026-11-24", "warned", 2)
    assert document(run("check", "other", "--night", "2026-11-24", "--json")) == {"checks": []}
    assert run("check", "--night", "yesterday").exit_code == 2


def test_what_is_set_aside_is_listed_released_and_kept_out(settings: Settings, store: Store) -> None:
    train = write_product(settings.data_dir, "dots", good=0, flawed=0) / "train" / "good"
    (train / "cmyk.jpg").write_bytes(VIOLATIONS["cmyk"][0])
    (train / "torn.png").write_bytes(b"torn")
    assert "Nothing is set aside" in run("quarantine", "list").stdout
    run("check", "dots")
    listed = document(run("quarantine", "list", "--category", "dots", "--json"))
    assert [row["file"] for row in listed] == ["train/good/cmyk.jpg", "train/good/torn.png"]
    first, torn = (str(row["id"]) for row in listed)
    assert run("quarantine", "release", first, "--note", "another scanner").exit_code == 0
    assert run("quarantine", "release", torn).exit_code == 2
    assert run("quarantine", "release", "999").exit_code == 2
    assert run("quarantine", "keep-out", torn).exit_code == 0
    assert [row["id"] for row in document(run("quarantine", "list", "--json"))] == [int(torn)]
    assert len(document(run("quarantine", "list", "--all", "--json"))) == 2
    with store.session(read_only=True) as session:
        events = audit.recent(session, actor="cli")
    assert [event.action for event in events] == ["data.keep_out", "data.release"]
    assert events[1].detail["note"] == "another scanner"
