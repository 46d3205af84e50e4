"""What is learned from, and what never stands on both sides of a split."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomalyos.cases import repository as case_repository
from anomalyos.classifier.dataset import NotEnoughDefects, fold_numbers, load_defects
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from tests.classifier import drawn


def test_named_live_defects_of_the_category_are_learned_from(settings: Settings, store: Store) -> None:
    drawn.fill(store, 4)
    drawn.add_case(store, case_repository.UNNAMED, 90, kind="spot")
    drawn.add_case(store, "spot", 91, category="stripes")
    removed = drawn.add_case(store, "spot", 92)
    with store.session() as session:
        case_repository.remove(session, removed, "mia", "wrong label")
    data = load_defects("dots", settings, store)
    assert data.classes == ("scratch", "spot", "stain")
    assert len(data.examples) == 12
    assert data.left_out == {}
    assert len(set(data.parts)) == 12
    assert list(data.labels) == [drawn.TYPES.index(example.label) for example in data.examples]


def test_a_class_seen_in_one_photograph_is_left_out_and_named(settings: Settings, store: Store) -> None:
    drawn.fill(store, 4, types=("scratch", "spot"))
    drawn.add_case(store, "stain", 1, photograph="one")
    drawn.add_case(store, "stain", 2, photograph="one")
    data = load_defects("dots", settings, store)
    assert data.left_out == {"stain": "only one photograph"}
    assert data.classes == ("scratch", "spot")


def test_a_lost_photograph_is_left_out_and_named(settings: Settings, store: Store) -> None:
    drawn.fill(store, 5, types=("scratch", "spot"))
    with store.session(read_only=True) as session:
        first = case_repository.list_cases(session, "dots")[0]
    store.objects.absolute(first.image_path).unlink()
    data = load_defects("dots", settings, store)
    assert data.left_out == {f"case {first.id}": "its photograph is gone"}
    assert len(data.examples) == 9


def test_the_same_place_under_the_same_name_counts_once(settings: Settings, store: Store) -> None:
    drawn.fill(store, 4)
    drawn.add_case(store, "spot", 0, origin="review")
    assert len(load_defects("dots", settings, store).examples) == 12
    drawn.add_case(store, "spot", 0, focus=(9, 9))
    data = load_defects("dots", settings, store)
    assert len(data.examples) == 13
    assert len(set(data.parts)) == 12


@pytest.mark.parametrize("types", [(), ("spot",), ("scratch", "spot")])
def test_too_little_is_refused_with_what_to_do(
    settings: Settings, store: Store, types: tuple[str, ...]
) -> None:
    drawn.fill(store, 3, types=types)
    drawn.add_case(store, "stain", 1)
    with pytest.raises(NotEnoughDefects, match="to learn from") as caught:
        load_defects("dots", settings, store)
    assert "stain (only one photograph)" in caught.value.message
    assert "cases import" in caught.value.hint


def test_exposures_of_one_tile_are_one_part(settings: Settings, store: Store) -> None:
    for number, label in enumerate(("spot", "stain")):
        for tile in range(2):
            for exposure in (1, 3, 5):
                shot = 1000 * number + 200 * tile + exposure
                name = f"dots/test/{label}/exp{exposure}_num_{shot}.jpg"
                drawn.add_case(store, label, shot, source=name)
    data = load_defects("dots", settings, store)
    assert len(data.examples) == 12
    assert len(set(data.parts)) == 4
    assert {len({e.label for e in data.examples if e.part == part}) for part in set(data.parts)} == {1}


def test_groups_of_the_data_set_are_parts(settings: Settings, store: Store) -> None:
    drawn.fill(store, 4)
    folder = settings.data_dir / "dots"
    folder.mkdir(parents=True)
    (folder / "groups.csv").write_text("file,group\n000.png,lot\n001.png,lot\n")
    data = load_defects("dots", settings, store)
    assert sum(example.part == "lot" for example in data.examples) == 6
    assert len(set(data.parts)) == 7


def test_the_hash_follows_every_change_of_what_is_learned(settings: Settings, store: Store) -> None:
    drawn.fill(store, 4)
    first = load_defects("dots", settings, store)
    assert load_defects("dots", settings, store).data_hash() == first.data_hash()
    drawn.add_case(store, "spot", 50)
    assert load_defects("dots", settings, store).data_hash() != first.data_hash()


examples = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 14)), min_size=4, max_size=60)


@given(examples, st.integers(2, 5), st.integers(0, 3), st.randoms())
def test_a_part_is_never_in_two_folds(
    drawn_examples: list[tuple[str, int]], folds: int, seed: int, random: object
) -> None:
    labels = [label for label, _ in drawn_examples]
    parts = [f"part {number}" for _, number in drawn_examples]
    if len(set(parts)) < folds:
        with pytest.raises(ValueError, match="cannot be split"):
            fold_numbers(labels, parts, folds, seed)
        return
    numbers = fold_numbers(labels, parts, folds, seed)
    fold_of = defaultdict(set)
    for part, fold in zip(parts, numbers, strict=True):
        fold_of[part].add(int(fold))
    assert all(len(found) == 1 for found in fold_of.values())
    assert set(numbers) <= set(range(folds))
    order = list(range(len(labels)))
    random.shuffle(order)
    again = fold_numbers([labels[i] for i in order], [parts[i] for i in order], folds, seed)
    np.testing.assert_array_equal(again, numbers[order])


@given(st.lists(st.integers(2, 9), min_size=2, max_size=4), st.integers(2, 4), st.integers(0, 3))
def test_a_class_of_several_parts_is_in_the_training_side_of_every_fold(
    sizes: list[int], folds: int, seed: int
) -> None:
    labels = [f"class {number}" for number, size in enumerate(sizes) for _ in range(size)]
    parts = [f"part {number}" for number in range(len(labels))]
    folds = min(folds, len(parts))
    numbers = fold_numbers(labels, parts, folds, seed)
    for fold in range(folds):
        assert {labels[i] for i in np.flatnonzero(numbers != fold)} == set(labels)
        for number, size in enumerate(sizes):
            own = sum(labels[i] == f"class {number}" for i in np.flatnonzero(numbers == fold))
            assert abs(own - size / folds) < 1
