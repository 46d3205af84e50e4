from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session

from anomalyos.accounts.tables import User
from anomalyos.arena import material_rows as arena_material
from anomalyos.arena import repository as arena
from anomalyos.arena import rules
from anomalyos.arena import standings as arena_standings
from anomalyos.arena.rules import Call
from anomalyos.arena.tables import ArenaCall, ArenaChallenge, ArenaMaterial, ArenaRound
from anomalyos.core.errors import Conflict, NotFound
from anomalyos.core.settings import Settings
from anomalyos.db.columns import utc_now
from anomalyos.db.engine import Store
from anomalyos.db.rows import stored_id
from anomalyos.inspection import images, inspections, reviews
from tests.support import workers
from tests.support.rows import category_with_versions, inspection

# on SQLite and on PostgreSQL
pytestmark = pytest.mark.databases

DAY = "2026-11-25"
START = datetime(2026, 11, 25, 6, tzinfo=UTC)


def user(session: Session, name: str) -> int:
    row = User(name=name, password_hash="x", role="viewer")
    session.add(row)
    session.flush()
    return stored_id(row.id)


def material(version: int, number: int, **fields: Any) -> ArenaMaterial:
    values = {
        "content_sha256": f"{number:064d}",
        "category": "hazelnut" if number < 5 else "pill",
        "source": f"hazelnut/test/crack/{number:03}.png",
        "stamp": "1",
        "object_path": "",
        "width": 64,
        "height": 64,
        "defective": number % 2 == 0,
        "ai_defective": number % 3 == 0,
        "score": 1.0,
        "threshold": 1.0,
        "map_path": "",
    }
    return ArenaMaterial(model_version_id=version, **{**values, **fields})


@pytest.fixture
def table(store: Store) -> list[int]:
    """Ids of mia and sam; ten pictures lie ready."""
    with store.session() as session:
        _, (version,) = category_with_versions(session, "hazelnut", 1)
        for number in range(10):
            arena_material.keep(session, material(version, number))
        return [user(session, "mia"), user(session, "sam")]


def start(store: Store, user_id: int, day: str | None = None) -> ArenaRound:
    with store.session() as session:
        items = arena_material.by_ids(session, list(range(1, 11)))
        return arena.start_round(session, user_id=user_id, material=items, level=0.3, seed="s", day=day)


def play(store: Store, row: ArenaRound, right: int, seconds: float = 5.0) -> ArenaRound:
    """Answer the first ``right`` calls rightly and the others wrongly."""
    for place in range(10):
        with store.session() as session:
            call = arena.show_next(session, stored_id(row.id), START)
            assert call is not None
            said = Call.DEFECT if call.defective == (place < right) else Call.NORMAL
            arena.answer(session, stored_id(call.id), said, now=START + timedelta(seconds=seconds))
    with store.session(read_only=True) as session:
        return arena.own_round(session, row.token, row.user_id)


def test_a_round_shows_one_picture_after_the_other(store: Store, table: list[int]) -> None:
    row = start(store, table[0])
    with store.session() as session:
        first = arena.show_next(session, stored_id(row.id), START)
        again = arena.show_next(session, stored_id(row.id), START + timedelta(seconds=9))
        assert first is not None
        assert again is not None
        assert (first.place, again.id, again.shown_at) == (0, first.id, START)
        arena.answer(session, stored_id(first.id), Call.DEFECT, now=START + timedelta(seconds=10))
        following = arena.show_next(session, stored_id(row.id), START + timedelta(seconds=30))
    assert following is not None
    assert (following.place, following.shown_at) == (1, START + timedelta(seconds=30))


def test_answers_earn_what_the_rules_say_and_the_last_one_ends_the_round(
    store: Store, table: list[int]
) -> None:
    row = play(store, start(store, table[0]), right=4)
    with store.session(read_only=True) as session:
        calls = arena.calls(session, stored_id(row.id))
        assert arena.unfinished_round(session, table[0]) is None
        assert arena.show_next(session, stored_id(row.id)) is None
    assert [call.right for call in calls] == [True] * 4 + [False] * 6
    assert calls[1].parts == {"right": 100, "speed": 38, "streak": 10}
    assert calls[2].parts == {"right": 100, "speed": 38, "streak": 20, "beat": 25}
    assert (row.right, row.best_streak, row.points) == (4, 4, sum(call.points for call in calls))
    assert row.ai_right == sum(call.ai_defective == call.defective for call in calls)
    assert row.finished_at is not None


def test_time_is_the_servers_and_too_late_is_no_answer(store: Store, table: list[int]) -> None:
    row = start(store, table[0])
    with store.session() as session:
        call = arena.show_next(session, stored_id(row.id), START)
        assert call is not None
        late = START + timedelta(seconds=rules.SECONDS + rules.GRACE + 0.1)
        answered = arena.answer(
            session, stored_id(call.id), Call.DEFECT, mark=(0.5, 0.5), distance=0.0, now=late
        )
    assert (answered.said, answered.right, answered.points, answered.mark_x) == ("", False, 0, None)


def test_the_mark_of_a_normal_call_is_not_kept(store: Store, table: list[int]) -> None:
    row = start(store, table[0])
    with store.session() as session:
        call = arena.show_next(session, stored_id(row.id), START)
        assert call is not None
        arena.answer(session, stored_id(call.id), Call.NORMAL, mark=(0.5, 0.5), distance=0.0, now=START)
        assert (call.mark_x, call.distance) == (None, None)


def test_what_was_not_shown_cannot_be_answered(store: Store, table: list[int]) -> None:
    row = start(store, table[0])
    with store.session() as session:
        waiting = arena.calls(session, stored_id(row.id))[3]
        with pytest.raises(Conflict, match="not been shown"):
            arena.answer(session, stored_id(waiting.id), Call.DEFECT)
        with pytest.raises(NotFound):
            arena.answer(session, 4711, Call.DEFECT)


def test_only_the_first_answer_counts(store: Store, table: list[int]) -> None:
    row = start(store, table[0])
    with store.session() as session:
        call = arena.show_next(session, stored_id(row.id), START)
        assert call is not None
        arena.answer(session, stored_id(call.id), Call.NORMAL, now=START)
    with store.session() as session, pytest.raises(Conflict, match="answered already"):
        arena.answer(session, stored_id(call.id), Call.DEFECT, now=START)
    with store.session(read_only=True) as session:
        kept = session.get_one(ArenaCall, call.id)
    assert (kept.said, kept.right) == ("normal", False)


def test_of_answers_at_once_exactly_one_counts(
    store: Store, store_settings: Settings, table: list[int]
) -> None:
    row = start(store, table[0])
    with store.session() as session:
        call = arena.show_next(session, stored_id(row.id))
        assert call is not None
        call_id = stored_id(call.id)
    said = ["defect", "normal", "defect", "normal"]
    outcomes = workers.run_together(answer_at_once, store_settings, [(call_id, word) for word in said])
    assert Counter(outcomes)["Conflict"] == 3
    with store.session(read_only=True) as session:
        kept = session.get_one(ArenaCall, call_id)
    assert kept.said == next(outcome for outcome in outcomes if outcome != "Conflict")
    assert kept.points == (0 if kept.said == "normal" else sum(kept.parts.values()))


def answer_at_once(settings: Settings, wait: Any, call_id: int, said: str) -> str:
    store = Store(settings)
    wait()
    with store.session() as session:
        arena.answer(session, call_id, Call(said))
    return said


def test_a_challenge_is_played_once(store: Store, table: list[int]) -> None:
    mia, sam = table
    first = start(store, mia, DAY)
    with pytest.raises(Conflict, match="played today's"):
        start(store, mia, DAY)
    assert start(store, sam, DAY).id != first.id
    assert start(store, mia, "2026-11-26").id != first.id
    assert start(store, mia).day is None
    assert start(store, mia).day is None


def test_of_challenges_begun_at_once_one_is_made(
    store: Store, store_settings: Settings, table: list[int]
) -> None:
    outcomes = workers.run_together(begin_at_once, store_settings, [(table[0],)] * 3)
    assert sorted(outcomes) == ["Conflict", "Conflict", "begun"]
    with store.session(read_only=True) as session:
        row = arena.daily_round(session, table[0], DAY)
        assert row is not None
        assert len(arena.calls(session, stored_id(row.id))) == 10


def begin_at_once(settings: Settings, wait: Any, user_id: int) -> str:
    store = Store(settings)
    wait()
    with store.session() as session:
        items = arena_material.by_ids(session, list(range(1, 11)))
        arena.start_round(session, user_id=user_id, material=items, level=0.5, seed="s", day=DAY)
    return "begun"


def test_the_days_challenge_is_drawn_once(store: Store) -> None:
    with store.session() as session:
        arena.keep_challenge(session, ArenaChallenge(day=DAY, seed="a", level=0.5, material_ids=[1, 2]))
    with store.session() as session:
        kept = arena.keep_challenge(session, ArenaChallenge(day=DAY, seed="b", level=0.5, material_ids=[3]))
    assert (kept.seed, kept.material_ids) == ("a", [1, 2])


def test_rounds_and_pictures_belong_to_their_player(store: Store, table: list[int]) -> None:
    mia, sam = table
    row = start(store, mia)
    with store.session() as session:
        call = arena.show_next(session, stored_id(row.id))
        assert call is not None
        assert arena.own_call(session, call.token, mia)[0].id == call.id
        with pytest.raises(NotFound):
            arena.own_call(session, call.token, sam)
        with pytest.raises(NotFound):
            arena.own_round(session, row.token, sam)
        hidden = arena.calls(session, stored_id(row.id))[1]
        with pytest.raises(NotFound):
            arena.own_call(session, hidden.token, mia)


def test_giving_up_closes_what_was_shown_and_hides_the_rest(store: Store, table: list[int]) -> None:
    row = start(store, table[0])
    with store.session() as session:
        arena.show_next(session, stored_id(row.id), START)
        arena.give_up(session, stored_id(row.id), START)
    with store.session(read_only=True) as session:
        ended = arena.own_round(session, row.token, table[0])
        assert (ended.right, ended.points, ended.finished_at) == (0, 0, START)
        assert [tally.calls for tally in arena_standings.by_category(session)] == [1]
        assert arena_standings.outcomes(session, table[0]) == [False]


def test_rankings(store: Store, table: list[int]) -> None:
    mia, sam = table
    play(store, start(store, mia, DAY), right=3)
    best = play(store, start(store, sam, DAY), right=7)
    free = play(store, start(store, mia), right=9, seconds=1.0)
    start(store, sam)
    with store.session(read_only=True) as session:
        day = arena_standings.of_day(session, DAY)
        ever = arena_standings.of_all_time(session)
        tallies = arena_standings.by_category(session)
        assert list(arena_standings.days_played(session, mia)) == [DAY]
        assert arena_standings.best_streak(session, mia) == 9
        outcomes = arena_standings.outcomes(session, mia, limit=12)
    assert [(row.name, row.right) for row in day] == [("sam", 7), ("mia", 3)]
    assert day[0].points == best.points
    assert (ever[0].name, ever[0].rounds, ever[0].best) == ("mia", 2, free.points)
    assert sum(tally.calls for tally in tallies) == 30
    assert sum(tally.right for tally in tallies) == 19
    assert {tally.category for tally in tallies} == {"hazelnut", "pill"}
    assert outcomes == [False, False, *[True] * 9, False]


def inspected(session: Session, number: int, **fields: Any) -> int:
    """Id of an inspection of the content with this number."""
    row_id = inspection(session, f"{number}.png", **fields)
    inspections.get(session, row_id).content_sha256 = f"{number:064d}"
    session.flush()
    return row_id


def test_pictures_reviewed_lately_are_known(store: Store) -> None:
    with store.session() as session:
        for number, name in ((1, "mia"), (2, "sam")):
            row = inspected(session, number)
            reviews.decide(session, inspection_id=row, decision="defect", actor=name, expected_version=0)
        hour_ago = utc_now() - timedelta(hours=1)
        assert arena_material.reviewed(session, hour_ago, "mia") == {f"{1:064d}"}
        assert arena_material.reviewed(session, hour_ago) == {f"{1:064d}", f"{2:064d}"}
        assert arena_material.reviewed(session, utc_now() + timedelta(hours=1)) == set()


def test_pictures_met_in_the_arena_are_counted(store: Store, table: list[int]) -> None:
    row = start(store, table[0])
    with store.session() as session:
        arena.show_next(session, stored_id(row.id))
        assert arena_material.met(session, table[0]) == {f"{0:064d}": 1}
        assert arena_material.met(session, table[1]) == {}


def test_a_relabelled_picture_is_brought_up_to_date(store: Store, table: list[int]) -> None:
    with store.session() as session:
        version = arena_material.by_ids(session, [1])[0].model_version_id
        kept = arena_material.keep(session, material(version, 0, defective=False, stamp="2"))
        assert (kept.id, kept.defective, kept.stamp) == (1, False, "2")
        decided = material(version, 0, source="inspection:9", defective=True)
        assert arena_material.keep(session, decided).defective is False


def test_decided_inspections_are_offered_newest_first(store: Store) -> None:
    with store.session() as session:
        category_id, (version,) = category_with_versions(session, "hazelnut", 1)
        ids = []
        for number, decision in enumerate(("defect", "false_alarm", "unsure", None)):
            image = images.get_or_create(
                session,
                sha256=f"{number:064d}",
                object_path="x",
                format="png",
                width=8,
                height=8,
                size_bytes=1,
            )
            ids.append(
                inspected(
                    session,
                    number,
                    image_id=image.id,
                    category_id=category_id,
                    model_version_id=version,
                    map_path="m",
                )
            )
            if decision:
                reviews.decide(
                    session, inspection_id=ids[-1], decision=decision, actor="mia", expected_version=0
                )
        found = arena_material.decided(session, [version])
        assert [row.id for row, _ in found] == [ids[1], ids[0]]
        answer = arena_material.looked_at(session, f"{3:064d}", version)
        assert answer is not None
        assert answer.id == ids[3]
        assert arena_material.looked_at(session, f"{3:064d}", version + 1) is None
