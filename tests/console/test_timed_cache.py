"""Dear answers are given again for a while, cheap ones follow every change."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from console.services.cache import TimedCache


class Counter:
    """Something that takes as long as the test says and counts how often it was made."""

    def __init__(self, seconds: float) -> None:
        self.now, self.seconds, self.state, self.made = 100.0, seconds, 0, 0

    def make(self, key: str) -> str:
        self.made += 1
        self.now += self.seconds
        return f"{key} {self.made}"

    def kept(self, most: int = 32) -> TimedCache[str, str]:
        return TimedCache(
            self.make, state=lambda: self.state, share=0.1, free_s=0.5, most=most, clock=lambda: self.now
        )


def test_a_cheap_answer_follows_every_change_and_is_kept_without_one() -> None:
    counter = Counter(seconds=0.1)
    kept = counter.kept()
    assert [kept.get("a"), kept.get("a")] == ["a 1", "a 1"]
    counter.state += 1
    assert kept.get("a") == "a 2"


def test_a_dear_answer_is_given_again_for_ten_times_its_cost() -> None:
    counter = Counter(seconds=2.0)
    kept = counter.kept()
    assert kept.get("a") == "a 1"
    counter.state += 1
    counter.now += 19.0
    assert kept.get("a") == "a 1"
    counter.now += 2.0
    assert kept.get("a") == "a 2"


def test_without_a_change_the_oldest_answer_is_good() -> None:
    counter = Counter(seconds=2.0)
    kept = counter.kept()
    kept.get("a")
    counter.now += 10_000
    assert kept.get("a") == "a 1"


def test_only_so_many_are_kept() -> None:
    counter = Counter(seconds=0.1)
    kept = counter.kept(most=2)
    for key in ("a", "b", "a", "c"):
        kept.get(key)
    assert counter.made == 3
    kept.get("a")
    assert counter.made == 3
    kept.get("b")
    assert counter.made == 4


def test_those_who_come_together_share_one_making() -> None:
    going, made = threading.Barrier(4), []

    def make(key: str) -> str:
        made.append(key)
        return key

    kept = TimedCache(make, state=lambda: 0)

    def ask(_: int) -> str:
        going.wait()
        return kept.get("a")

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, range(4))) == ["a"] * 4
    assert made == ["a"]


def test_a_failure_is_told_and_tried_again() -> None:
    outcomes = iter((ValueError("locked"), "fine"))

    def make(_: str) -> str:
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    kept = TimedCache(make)
    with pytest.raises(ValueError, match="locked"):
        kept.get("a")
    assert kept.get("a") == "fine"
