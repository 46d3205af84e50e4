"""``anomalyos data``: exit codes, what goes to stdout, and what a person reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from anomalyos.cli import app
from anomalyos.core.settings import Settings
from anomalyos.products import sample
from tests.images.pictures import png, write, write_category


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["data", *map(str, arguments)])


def test_import_prints_one_json_document(settings: Settings, tmp_path: Path) -> None:
    result = run("import", write_category(tmp_path / "in" / "bolt"), "--json")

    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert document["accepted"] == 9
    assert document["rejected"] == document["warnings"] == []
    assert document["categories"] == [
        {
            "category": "bolt",
            "train": 3,
            "test_good": 2,
            "test_defective": 2,
            "defects": ["crack"],
            "masks": 2,
            "groups": 0,
            "synthetic": False,
        }
    ]
    assert "Checking" in result.stderr


def test_import_with_rejected_files_exits_with_1_and_names_them(settings: Settings, tmp_path: Path) -> None:
    folder = write_category(tmp_path / "in" / "bolt")
    write(folder / "train" / "good" / "[red]x.png", b"no image")

    result = run("import", folder)

    assert result.exit_code == 1
    assert "not_an_image bolt/train/good/[red]x.png: The file is not an image." in result.stdout


def test_import_takes_a_name_and_groups(settings: Settings, tmp_path: Path) -> None:
    for index in range(3):
        write(tmp_path / "photos" / f"{index}.png", png(index))
    groups = write(tmp_path / "lots.csv", b"file,group\n0.png,a\n1.png,a\n2.png,b\n")

    result = run("import", tmp_path / "photos", "--name", "washer", "--groups", groups, "--json")

    assert result.exit_code == 0
    (category,) = json.loads(result.stdout)["categories"]
    assert (category["category"], category["groups"]) == ("washer", 2)


def test_import_of_nothing_exits_with_2(settings: Settings, tmp_path: Path) -> None:
    leaking = write_category(tmp_path / "in" / "bolt")
    write(leaking / "groups.csv", b"file,group\nt0.png,1\ng0.png,1\n")

    missing, refused = run("import", tmp_path / "none"), run("import", leaking)

    assert missing.exit_code == refused.exit_code == 2
    assert "There is no folder" in missing.stderr
    assert "group_leak bolt" in refused.stdout


def test_list_shows_every_category(settings: Settings) -> None:
    assert "data import" in run("list").stdout
    write_category(settings.data_dir / "bolt")

    assert "bolt" in run("list").stdout
    assert [row["train"] for row in json.loads(run("list", "--json").stdout)] == [3]


def test_sample_draws_the_categories_asked_for(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def write_dataset(root: Path, *, categories: tuple[str, ...], progress: Any) -> None:
        for index, name in enumerate(categories):
            write(write_category(root / name) / "synthetic.json", b"{}")
            progress(index + 1, len(categories))

    monkeypatch.setattr("anomalyos.cli.data.write_dataset", write_dataset)

    result = run("sample", "--category", sample.CATEGORIES[1], "--json")

    assert result.exit_code == 0
    (row,) = json.loads(result.stdout)
    assert (row["category"], row["synthetic"]) == (sample.CATEGORIES[1], True)
    assert f"{len(sample.CATEGORIES)} sample categories" in run("sample").stdout


def test_sample_refuses_what_it_cannot_draw(settings: Settings) -> None:
    result = run("sample", "--category", "teapot")

    assert result.exit_code == 2
    assert "There are: " in result.stderr
