"""Groups files, and splits that never put one group on both sides."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from anomalyos.core.errors import AnomalyOSError
from anomalyos.products.dataset import Sample
from anomalyos.products.groups import (
    fold_groups,
    format_groups,
    leaking_groups,
    load_groups,
    shorten,
    split_groups,
)
from tests.images.pictures import SHARED, needs_shared_data, write


def samples_of(groups: list[str]) -> list[Sample]:
    return [
        Sample(Path(f"c/train/good/{index}.png"), "c", "train", "good", None, group)
        for index, group in enumerate(groups)
    ]


many_groups = st.lists(st.sampled_from("abcdefghijklmnop"), min_size=2, max_size=60).filter(
    lambda groups: len(set(groups)) > 1
)


@given(many_groups, st.floats(min_value=0.01, max_value=0.99), st.integers(0, 2**32))
def test_a_split_places_every_sample_once_and_no_group_twice(
    groups: list[str], fraction: float, seed: int
) -> None:
    samples = samples_of(groups)

    rest, held_out = split_groups(samples, fraction=fraction, seed=seed)

    assert sorted(s.path for s in rest + held_out) == sorted(s.path for s in samples)
    assert not {s.group for s in rest} & {s.group for s in held_out}
    assert rest
    assert held_out
    smallest = min(groups.count(group) for group in set(groups))
    assert len(held_out) <= max(fraction * len(samples) + 0.5, smallest)


@given(many_groups, st.integers(2, 8), st.integers(0, 2**32))
def test_folds_place_every_sample_once_and_no_group_twice(groups: list[str], folds: int, seed: int) -> None:
    samples = samples_of(groups)
    if len(set(groups)) < folds:
        with pytest.raises(AnomalyOSError, match="groups"):
            fold_groups(samples, folds=folds, seed=seed)
        return

    parts = fold_groups(samples, folds=folds, seed=seed)

    assert len(parts) == folds
    assert all(parts)
    assert sorted(s.path for part in parts for s in part) == sorted(s.path for s in samples)
    seen = [group for part in parts for group in {s.group for s in part}]
    assert len(seen) == len(set(seen))
    largest = max(groups.count(group) for group in set(groups))
    assert max(map(len, parts)) - min(map(len, parts)) <= largest


@given(many_groups, st.integers(0, 2**32), st.randoms(use_true_random=False))
@hypothesis_settings(max_examples=50)
def test_splits_depend_on_the_samples_and_not_on_their_order(
    groups: list[str], seed: int, random: object
) -> None:
    samples = samples_of(groups)
    shuffled = list(samples)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    for first, second in zip(
        (*split_groups(samples, fraction=0.3, seed=seed), *fold_groups(samples, folds=2, seed=seed)),
        (*split_groups(shuffled, fraction=0.3, seed=seed), *fold_groups(shuffled, folds=2, seed=seed)),
        strict=True,
    ):
        assert {s.path for s in first} == {s.path for s in second}


def test_another_seed_gives_another_split() -> None:
    samples = samples_of([str(index) for index in range(40)])

    held = {tuple(s.group for s in split_groups(samples, fraction=0.25, seed=seed)[1]) for seed in range(5)}

    assert len(held) == 5
    assert {len(groups) for groups in held} == {10}


def test_one_group_cannot_be_split() -> None:
    with pytest.raises(AnomalyOSError, match="1 groups"):
        split_groups(samples_of(["a"] * 9), fraction=0.5, seed=0)


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, float("nan")])
def test_a_fraction_is_a_fraction(fraction: float) -> None:
    with pytest.raises(ValueError, match="fraction"):
        split_groups(samples_of(["a", "b"]), fraction=fraction, seed=0)


def test_one_fold_is_no_split() -> None:
    with pytest.raises(ValueError, match="folds"):
        fold_groups(samples_of(["a", "b"]), folds=1, seed=0)


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
