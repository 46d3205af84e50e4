from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomalyos.core.statistics.agreement import cohen_kappa

ANSWERS = ("defect", "false_alarm", "unsure")
Both = list[tuple[str, str]]
both = st.lists(st.tuples(st.sampled_from(ANSWERS), st.sampled_from(ANSWERS)), max_size=60)


def split(pairs: Both) -> tuple[list[str], list[str]]:
    return [first for first, _ in pairs], [second for _, second in pairs]


def naive_kappa(pairs: Both) -> float | None:
    """From the full table of answers, cell by cell."""
    n = len(pairs)
    if not n:
        return None
    table = {(a, b): sum(pair == (a, b) for pair in pairs) / n for a in ANSWERS for b in ANSWERS}
    observed = sum(table[a, a] for a in ANSWERS)
    rows = {a: sum(table[a, b] for b in ANSWERS) for a in ANSWERS}
    columns = {b: sum(table[a, b] for a in ANSWERS) for b in ANSWERS}
    chance = sum(rows[a] * columns[a] for a in ANSWERS)
    return None if chance > 1 - 1e-9 else (observed - chance) / (1 - chance)


@settings(deadline=None)
@given(both)
def test_kappa_is_what_the_table_of_answers_gives(pairs: Both) -> None:
    found = cohen_kappa(*split(pairs))
    assert found.kappa == pytest.approx(naive_kappa(pairs))
    assert (found.items, found.same) == (len(pairs), sum(a == b for a, b in pairs))


@settings(deadline=None)
@given(both)
def test_kappa_and_its_interval_stay_within_bounds(pairs: Both) -> None:
    found = cohen_kappa(*split(pairs))
    if found.kappa is None:
        assert found.low is None
        assert found.high is None
    else:
        assert found.low is not None
        assert found.high is not None
        assert -1 <= found.low <= found.kappa <= found.high <= 1


@settings(deadline=None)
@given(both)
def test_it_does_not_matter_who_is_named_first(pairs: Both) -> None:
    first, second = split(pairs)
    assert cohen_kappa(first, second) == cohen_kappa(second, first)


@settings(deadline=None)
@given(st.lists(st.sampled_from(ANSWERS), max_size=60))
def test_two_who_always_agree_have_kappa_one_unless_they_know_one_answer_only(answers: list[str]) -> None:
    found = cohen_kappa(answers, answers)
    assert found.kappa == (1 if len(set(answers)) > 1 else None)


def test_a_handful_of_agreements_proves_little() -> None:
    few, many = ["defect", "unsure"] * 2, ["defect", "unsure"] * 100
    little, much = cohen_kappa(few, few), cohen_kappa(many, many)
    assert little.high == much.high == 1
    assert little.low is not None
    assert much.low is not None
    assert little.low < 0 < 0.9 < much.low


def test_a_known_table() -> None:
    # 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no: observed 0.7, chance 0.5
    pairs = [("yes", "yes")] * 20 + [("yes", "no")] * 5 + [("no", "yes")] * 10 + [("no", "no")] * 15
    found = cohen_kappa(*split(pairs))
    assert found.kappa == pytest.approx(0.4)
    assert found.chance == pytest.approx(0.5)


@pytest.mark.parametrize(("copied", "items"), [(0.0, 30), (0.6, 30), (0.6, 200), (0.9, 60)])
def test_the_interval_covers_the_true_kappa_often_enough(copied: float, items: int) -> None:
    """The second rater copies the first with probability ``copied``, else guesses: kappa is just that."""
    rng, covered, rounds = random.Random(7), 0, 400
    for _ in range(rounds):
        first = [rng.choice(ANSWERS) for _ in range(items)]
        second = [a if rng.random() < copied else rng.choice(ANSWERS) for a in first]
        found = cohen_kappa(first, second)
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= copied <= found.high
    assert covered / rounds >= 0.94


def test_different_items_are_refused() -> None:
    with pytest.raises(ValueError, match="same items"):
        cohen_kappa(["defect"], [])
