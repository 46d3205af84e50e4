from __future__ import annotations

from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomalyos.arena.drawing import FEWEST_OF_A_KIND, Known, draw, enough, shuffled
from anomalyos.arena.rules import PICTURES


def pool(defective: int, normal: int) -> list[Known]:
    count = defective + normal
    return [Known(key, key < defective, (key * 37 % count + 1) / count) for key in range(count)]


@given(st.integers(3, 30), st.integers(3, 30), st.floats(0, 1), st.text(max_size=8))
def test_a_round_has_ten_different_pictures_of_both_kinds(
    defective: int, normal: int, level: float, seed: str
) -> None:
    items = pool(defective, normal)
    if not enough(defective, normal):
        with pytest.raises(ValueError, match="make no round"):
            draw(items, level, seed)
        return
    keys = draw(items, level, seed)
    assert len(set(keys)) == len(keys) == PICTURES
    flaws = sum(key < defective for key in keys)
    assert FEWEST_OF_A_KIND <= flaws <= PICTURES - FEWEST_OF_A_KIND
    assert draw(items, level, seed) == keys


def test_how_many_are_defective_cannot_be_counted_on() -> None:
    items = pool(40, 40)
    flaws = {sum(key < 40 for key in draw(items, 0.5, str(seed))) for seed in range(60)}
    assert flaws == {3, 4, 5, 6, 7}


def test_a_higher_level_draws_harder_pictures() -> None:
    items = pool(40, 40)
    hard = {item.key: item.hardness for item in items}

    def mean_hardness(level: float) -> float:
        return mean(hard[key] for seed in range(30) for key in draw(items, level, str(seed)))

    steps = [mean_hardness(level) for level in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert steps == sorted(steps)
    assert steps[-1] - steps[0] > 0.5


def order(items: list[str], seed: str, seen: dict[str, int] | None = None) -> list[str]:
    met = seen or {}
    return shuffled(items, seed, name=lambda i: i, group=lambda i: i[0], seen=lambda item: met.get(item, 0))


def test_the_order_is_the_seeds_and_only_the_seeds() -> None:
    items = [f"a{i}" for i in range(20)]
    assert order(items, "one") == order(items[::-1], "one")
    assert order(items, "one") != order(items, "two")
    assert sorted(order(items, "one")) == sorted(items)


def test_products_take_turns() -> None:
    items = [f"a{i}" for i in range(50)] + ["b0", "b1", "b2"]
    first = order(items, "seed")[:6]
    assert sorted(name[0] for name in first) == ["a", "a", "a", "b", "b", "b"]


def test_what_was_seen_comes_last() -> None:
    items = [f"a{i}" for i in range(10)]
    ordered = order(items, "seed", {"a3": 2, "a4": 1})
    assert ordered[-2:] == ["a4", "a3"]
