"""Groups files, and splits that never put one group on both sides."""

from __future__ import annotations

from pathlib import Path

import pytest

from anomalyos.core.errors import AnomalyOSError
from anomalyos.products.groups import (
    format_groups,
    leaking_groups,
    load_groups,
    shorten,
)
from tests.images.pictures import SHARED, needs_shared_data, write


def test_groups_are_read_as_they_are_written(tmp_path: Path) -> None:
    groups = {"b.png": "lot 2", "a, b.png": 'the "first"', "ü.png": "1"}

    path = write(tmp_path / "groups.csv", format_groups(groups).encode())

    assert load_groups(path) == groups
    assert format_groups(dict(reversed(groups.items()))) == path.read_text()


def test_spreadsheet_exports_are_read(tmp_path: Path) -> None:
    path = write(tmp_path / "groups.csv", b"\xef\xbb\xbffile,group\r\na.png, 1\r\n\r\nb.png,2\r\n")

    assert load_groups(path) == {"a.png": "1", "b.png": "2"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "none"),
        ("name,lot\na.png,1\n", "name, lot"),
        ("file;group\na.png;1\n", "file;group"),
        ("file,group,more\na.png,1,2\n", "more"),
        ("file,group\na.png,1\na.png,2\n", "line 3 names 'a.png' again"),
        ("file,group\na.png\n", "line 2 does not hold"),
        ("file,group\na.png,\n", "line 2 does not hold"),
        ("file,group\ngood/a.png,1\n", "only the file name"),
        ('file,group\n"a.png,1\n', "not a CSV"),
        ("file,group\na\udcff.png,1\n", "not a text file"),
    ],
)
def test_wrong_groups_files_are_explained(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path / "groups.csv", text.encode("utf-8", "surrogateescape"))

    with pytest.raises(AnomalyOSError, match=message):
        load_groups(path)


def test_all_wrong_lines_are_named_at_once(tmp_path: Path) -> None:
    path = write(tmp_path / "groups.csv", b"file,group\na.png\nb.png,1\nb.png,1\n/c.png,1\n")

    with pytest.raises(AnomalyOSError, match=r"3 wrong lines: line 2.*line 4.*line 5"):
        load_groups(path)


def test_a_missing_groups_file_is_explained(tmp_path: Path) -> None:
    with pytest.raises(AnomalyOSError, match="cannot be read"):
        load_groups(tmp_path / "groups.csv")


def test_leaks_name_the_files_of_both_sides() -> None:
    groups = {"a": "1", "b": "1", "c": "2", "d": "3"}

    assert leaking_groups(groups, ["a", "c", "x"], ["b", "d", "x"]) == {"1": ["a", "b"]}


def test_long_lists_are_shortened() -> None:
    assert shorten(["a", "b", "c"], limit=2) == "a, b and 1 more"
    assert shorten(["a", "b"], limit=2) == "a, b"


@pytest.mark.parametrize("name", [pytest.param("magnetic_tile", marks=needs_shared_data)])
def test_the_published_tile_groups_are_read_and_do_not_leak(name: str) -> None:
    root = SHARED / name
    groups = load_groups(root / "good_groups.csv")
    train, test = ([path.name for path in (root / split / "good").iterdir()] for split in ("train", "test"))

    assert len(groups) == len(train) + len(test) == 952
    assert not leaking_groups(groups, train, test)
