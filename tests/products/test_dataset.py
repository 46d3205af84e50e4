"""Categories in the MVTec AD layout, as they lie on disk."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from anomalyos.core.errors import AnomalyOSError, NotFound
from anomalyos.core.settings import Settings
from anomalyos.products.dataset import CategoryData, list_categories, load_category, valid_category_name
from tests.images.pictures import mask_png, png, write, write_category


@pytest.fixture
def part(settings: Settings) -> Path:
    return write_category(settings.data_dir / "part")


def test_samples_follow_the_layout(settings: Settings, part: Path) -> None:
    write(part / "test" / "dent" / "d0.png", png(7))

    data = load_category(settings, "part")

    assert data.name == "part"
    assert [s.path.name for s in data.train] == ["t0.png", "t1.png", "t2.png"]
    assert {(s.split, s.defect, s.mask_path) for s in data.train} == {("train", "good", None)}
    found = [(s.defect, s.path.name, s.mask_path and s.mask_path.name) for s in data.test]
    assert found == [
        ("crack", "c0.png", "c0_mask.png"),
        ("crack", "c1.png", "c1_mask.png"),
        ("dent", "d0.png", None),
        ("good", "g0.png", None),
        ("good", "g1.png", None),
    ]
    assert {s.category for s in data.test} == {"part"}
    assert data.defects == ["crack", "dent"]


def test_files_that_are_no_pictures_are_not_samples(settings: Settings, part: Path) -> None:
    for name in ("readme.txt", ".hidden.png", ".1234.part", "Thumbs.db"):
        write(part / "train" / "good" / name, b"x")
    (part / "train" / "good" / "folder.png").mkdir()
    write(part / "test" / ".cache" / "a.png", png())
    write(part / "train" / "good" / "LAST.JPG", png(50))

    data = load_category(settings, "part")

    assert [s.path.name for s in data.train] == ["LAST.JPG", "t0.png", "t1.png", "t2.png"]
    assert len(data.test) == 4


def test_without_groups_each_sample_is_its_own(settings: Settings, part: Path) -> None:
    data = load_category(settings, "part")

    assert data.train[0].group == "train/good/t0.png"
    assert len({s.group for s in data.train + data.test}) == 7


def test_groups_belong_to_good_images(settings: Settings, part: Path) -> None:
    write(part / "groups.csv", b"file,group\nt0.png,1\nt1.png,1\ng0.png,2\nc0.png,1\n")

    data = load_category(settings, "part")

    assert [s.group for s in data.train] == ["1", "1", "train/good/t2.png"]
    assert {s.path.name: s.group for s in data.test} == {
        "c0.png": "test/crack/c0.png",
        "c1.png": "test/crack/c1.png",
        "g0.png": "2",
        "g1.png": "test/good/g1.png",
    }


def test_drawn_images_are_told_by_a_marker(settings: Settings, part: Path) -> None:
    assert not load_category(settings, "part").synthetic
    write(part / "synthetic.json", b"{}")
    assert load_category(settings, "part").synthetic


def test_the_content_hash_moves_with_the_folder(settings: Settings, part: Path) -> None:
    before = load_category(settings, "part").content_hash()
    copy = settings.home / "elsewhere" / "other"
    shutil.copytree(part, copy)
    os.utime(copy / "train" / "good" / "t0.png", (1, 1))

    assert CategoryData(copy).content_hash() == before


@pytest.mark.parametrize("change", ["edit", "add", "remove", "rename", "mask", "groups", "swap"])
def test_the_content_hash_sees_every_change(settings: Settings, part: Path, change: str) -> None:
    before = load_category(settings, "part").content_hash()
    good = part / "train" / "good"
    if change == "edit":
        write(good / "t0.png", png(77))
    elif change == "add":
        write(good / "t9.png", png(77))
    elif change == "remove":
        (part / "test" / "good" / "g0.png").unlink()
    elif change == "rename":
        (good / "t0.png").rename(good / "t5.png")
    elif change == "mask":
        write(part / "ground_truth" / "crack" / "c0_mask.png", mask_png(value=1))
    elif change == "groups":
        write(part / "groups.csv", b"file,group\nt0.png,1\n")
    else:
        first, second = (good / "t0.png").read_bytes(), (good / "t1.png").read_bytes()
        write(good / "t0.png", second)
        write(good / "t1.png", first)

    assert load_category(settings, "part").content_hash() != before


def test_categories_are_listed_by_name(settings: Settings, part: Path) -> None:
    write_category(settings.data_dir / "a_first")
    for other in ("Upper", "no-images", ".hidden"):
        (settings.data_dir / other).mkdir()
    write_category(settings.data_dir / "Not A Name")

    assert list_categories(settings) == ["a_first", "part"]


def test_no_data_at_all_is_no_categories(settings: Settings) -> None:
    assert list_categories(settings) == []
    with pytest.raises(NotFound, match="anomalyos data import"):
        load_category(settings, "part")


def test_an_unknown_category_names_the_known(settings: Settings, part: Path) -> None:
    with pytest.raises(NotFound, match="There are: part"):
        load_category(settings, "screw")


@pytest.mark.parametrize("name", ["a", "metal_nut", "m4-screw", "0", "x" * 64])
def test_good_names(name: str) -> None:
    assert valid_category_name(name) == name


@pytest.mark.parametrize("name", ["", "A", "-a", "_a", "a b", "../a", "a/b", "a\n", ".", "ä", "x" * 65])
def test_bad_names(settings: Settings, name: str) -> None:
    with pytest.raises(AnomalyOSError, match="cannot name a category"):
        load_category(settings, name)
