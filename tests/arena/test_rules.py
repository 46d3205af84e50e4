from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomalyos.arena import rules
from anomalyos.arena.rules import Call, Points, points

calls = st.sampled_from(list(Call))
seconds = st.floats(0, 60)
distances = st.none() | st.floats(0, 2)
streaks = st.integers(0, 40)


@given(calls, st.booleans(), st.booleans(), seconds, distances, streaks)
def test_points_are_never_negative_and_wrong_calls_are_worth_nothing(
    said: Call, defective: bool, ai_right: bool, after: float, distance: float | None, streak: int
) -> None:
    earned = points(
        said=said, defective=defective, ai_right=ai_right, seconds=after, distance=distance, streak=streak
    )
    right = said == (Call.DEFECT if defective else Call.NORMAL)
    assert (earned.total >= rules.RIGHT) if right else earned == Points()
    most = rules.RIGHT + rules.SPEED + rules.PLACE + rules.STREAK_MOST + rules.BEAT
    assert 0 <= earned.total <= most
    assert sum(earned.as_dict().values()) == earned.total


def right_call(after: float = 5.0, distance: float | None = None, streak: int = 0, ai: bool = True) -> Points:
    return points(
        said=Call.DEFECT, defective=True, ai_right=ai, seconds=after, distance=distance, streak=streak
    )


@given(seconds, seconds)
def test_a_faster_answer_is_never_worth_less(one: float, other: float) -> None:
    fast, slow = sorted((one, other))
    assert right_call(fast).total >= right_call(slow).total


@given(st.floats(0, 2), st.floats(0, 2))
def test_a_nearer_mark_is_never_worth_less(one: float, other: float) -> None:
    near, far = sorted((one, other))
    assert right_call(distance=near).total >= right_call(distance=far).total


@given(streaks, streaks)
def test_a_longer_streak_is_never_worth_less(one: int, other: int) -> None:
    assert right_call(streak=max(one, other)).total >= right_call(streak=min(one, other)).total


def test_the_formula_in_figures() -> None:
    assert right_call(0.0, 0.0, 3, ai=False).as_dict() == {
        "right": 100,
        "speed": 50,
        "place": 50,
        "streak": 30,
        "beat": 25,
    }
    assert right_call(10.0, rules.PLACE_REACH / 2).as_dict() == {"right": 100, "speed": 25, "place": 25}
    assert right_call(20.5, rules.PLACE_REACH).as_dict() == {"right": 100}
    assert right_call(20.0, streak=100).streak == 50


def test_pointing_at_a_normal_part_earns_nothing_for_the_place() -> None:
    earned = points(said=Call.NORMAL, defective=False, ai_right=True, seconds=20, distance=0.0, streak=0)
    assert earned == Points(right=100)


def test_an_answer_may_travel_a_moment_but_no_longer() -> None:
    assert not rules.too_late(rules.SECONDS + rules.GRACE)
    assert rules.too_late(rules.SECONDS + rules.GRACE + 0.01)


@pytest.mark.parametrize(
    ("results", "longest", "closing"),
    [([], 0, 0), ([True], 1, 1), ([True, True, False, True], 2, 1), ([True, False], 1, 0)],
)
def test_streaks(results: list[bool], longest: int, closing: int) -> None:
    assert rules.longest_streak(results) == longest
    assert rules.closing_streak(results) == closing


@pytest.mark.parametrize(
    ("days", "count"),
    [
        ([], 0),
        (["2026-11-25"], 1),
        (["2026-11-24", "2026-11-23"], 2),
        (["2026-11-25", "2026-11-24", "2026-11-22"], 2),
        (["2026-11-23"], 0),
        (["2026-12-01"], 0),
    ],
)
def test_days_in_a_row_end_today_or_yesterday(days: list[str], count: int) -> None:
    assert rules.days_in_a_row(days, "2026-11-25") == count
