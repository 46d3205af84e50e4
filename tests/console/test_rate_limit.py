from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from console.security.limiter import RateLimit


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_waits_until_the_oldest_failure_is_forgotten() -> None:
    clock = Clock()
    limit = RateLimit(2, 120, clock)
    limit.failed("mia")
    clock.now = 30
    assert limit.wait_minutes("mia") == 0
    limit.failed("mia")
    assert limit.wait_minutes("mia") == 2
    clock.now = 119
    assert limit.wait_minutes("mia") == 1
    clock.now = 120
    assert limit.wait_minutes("mia") == 0


def test_success_forgets_and_keys_do_not_touch_each_other() -> None:
    limit = RateLimit(1, 60, Clock())
    limit.failed("mia")
    assert limit.wait_minutes("ada") == 0
    limit.succeeded("mia")
    assert limit.wait_minutes("mia") == 0


@given(st.lists(st.integers(0, 50), max_size=80))
def test_memory_is_bounded(names: list[int]) -> None:
    limit = RateLimit(3, 60, Clock(), max_keys=10)
    for name in names:
        limit.failed(str(name))
    assert len(limit._failures) <= 10
    assert all(len(failures) <= 3 for failures in limit._failures.values())
