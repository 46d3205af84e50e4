"""The Arena through the simulated browser: what it shows, and what it refuses."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from anomalyos.accounts import users
from anomalyos.arena import repository as arena
from anomalyos.arena import rules
from anomalyos.arena.rounds import RoundMaker
from anomalyos.arena.tables import ArenaRound
from anomalyos.db.rows import stored_id
from anomalyos.inspection import reviews
from console.services.today import today
from tests.console.arena_play import (
    begin,
    call,
    calls_of,
    material_of,
    middle_of_defect,
    newest_round,
    next_picture,
    see,
    stock,
)
from tests.console.conftest import Console, SignIn
from tests.support.products import write_product


@pytest.fixture
def material(console: Console) -> Console:
    return stock(console)


async def test_without_labelled_pictures_it_says_what_to_do(sign_in: SignIn) -> None:
    user = await sign_in("victor")
    await user.open("/arena")
    await see(user, "Too few labelled pictures")
    await see(user, "0 defects and 0 normal parts")
    await user.should_not_see(marker="play-free")


async def test_a_viewer_plays_a_whole_round(material: Console, sign_in: SignIn) -> None:
    user = await sign_in("victor")
    row = await begin(user, material)
    await next_picture(user, "arena-start", 1)
    for place in range(rules.PICTURES):
        item = calls_of(material, row)[place]
        if item.defective:
            await call(user, "defect", item.token, *middle_of_defect(material, item))
        else:
            await call(user, "normal", item.token)
        await see(user, marker="arena-reveal")
        await see(user, "Right")
        await see(user, "your mark is on it" if item.defective else "It is a normal part.")
        if place < rules.PICTURES - 1:
            await next_picture(user, "arena-next", place + 2)
    user.find(marker="arena-next").click()
    await see(user, marker="arena-summary")
    ended = newest_round(material)
    assert (ended.right, ended.best_streak) == (10, 10)
    assert next(iter(user.find(marker="arena-you").elements)).text == "10/10"
    assert next(iter(user.find(marker="arena-ai").elements)).text == f"{ended.ai_right}/10"
    await see(user, "A draw with the AI" if ended.ai_right == 10 else "You beat the AI")
    await see(user, "victor")
    await user.open("/arena")
    await see(user, "People against the AI")
    await see(user, "your level")


async def test_a_wrong_call_is_explained(material: Console, sign_in: SignIn) -> None:
    user = await sign_in("mia")
    row = await begin(user, material)
    await next_picture(user, "arena-start", 1)
    item = calls_of(material, row)[0]
    await call(user, "normal" if item.defective else "defect", item.token)
    await see(user, "Wrong")
    await see(user, "no points")
    said = "Defect" if item.ai_defective else "Normal"
    await see(user, f"It said {said}")


async def test_time_runs_out_on_the_server(
    material: Console, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "SECONDS", 0.2)
    monkeypatch.setattr(rules, "GRACE", 0.1)
    user = await sign_in("mia")
    row = await begin(user, material)
    user.find(marker="arena-start").click()
    await see(user, "Time is up")
    first = calls_of(material, row)[0]
    assert (first.said, first.points) == ("", 0)
    assert first.answered_at is not None


async def test_a_reload_goes_on_where_it_was_and_the_clock_did_too(
    material: Console, sign_in: SignIn
) -> None:
    user = await sign_in("mia")
    row = await begin(user, material)
    await next_picture(user, "arena-start", 1)
    shift_clock(material, row, seconds=8)
    await user.open(f"/arena/round/{row.token}")
    await see(user, "Picture 1 of 10")
    play = next(iter(user.find(marker="arena-play").elements))
    assert 11_000 <= int(play.props["data-left"]) <= 12_000
    shift_clock(material, row, seconds=60)
    await user.open(f"/arena/round/{row.token}")
    await see(user, "Time is up")
    await user.open("/arena")
    await see(user, "You have a round going")
    await see(user, "1 of 10 pictures are answered")


def shift_clock(console: Console, row: ArenaRound, *, seconds: float) -> None:
    """As if the picture on show had been shown so much earlier."""
    with console.store.session() as session:
        item = next(item for item in arena.calls(session, stored_id(row.id)) if item.answered_at is None)
        assert item.shown_at is not None
        item.shown_at -= timedelta(seconds=seconds)
        session.add(item)


async def test_an_open_round_can_be_ended(material: Console, sign_in: SignIn) -> None:
    user = await sign_in("mia")
    row = await begin(user, material)
    await user.open("/arena")
    user.find(marker="arena-end").click()
    await see(user, marker="play-free")
    await user.open(f"/arena/round/{row.token}")
    await see(user, marker="arena-summary")
    await see(user, "Not shown")


async def test_the_challenge_is_the_same_for_all_and_played_once(material: Console, sign_in: SignIn) -> None:
    sources = []
    for name in ("mia", "victor"):
        user = await sign_in(name)
        await user.open("/arena")
        user.find(marker="play-daily").click()
        await see(user, marker="arena-start")
        row = newest_round(material)
        assert row.day == today()
        sources.append([item.material_id for item in calls_of(material, row)])
        with material.store.session() as session:
            arena.give_up(session, stored_id(row.id))
        await user.open("/arena")
        await see(user, "There is a new one tomorrow.")
        await user.should_not_see(marker="play-daily")
    assert sources[0] == sources[1]
    assert len(set(sources[0])) == rules.PICTURES


async def test_a_lobby_left_open_does_not_start_the_challenge_again(
    material: Console, sign_in: SignIn
) -> None:
    user = await sign_in("mia")
    await user.open("/arena")
    with material.store.session(read_only=True) as session:
        mia = users.by_name(session, "mia")
    RoundMaker(material.services.settings, material.store, never).daily_round(stored_id(mia.id), today())
    user.find(marker="play-daily").click()
    await see(user, "You have played today's challenge.")


def never() -> Any:
    raise AssertionError("every picture was inspected before; nobody has to ask the AI")


async def test_pictures_reviewed_lately_are_not_used(material: Console, sign_in: SignIn) -> None:
    with material.store.session() as session:
        reviewed = set()
        for inspection_id in (1, 2, 7, 8):
            row = reviews.inspections.get(session, inspection_id)
            reviews.decide(
                session, inspection_id=inspection_id, decision="unsure", actor="mia", expected_version=0
            )
            reviewed.add(row.content_sha256)
    user = await sign_in("mia")
    for _ in range(3):
        row = await begin(user, material)
        drawn = {material_of(material, item).content_sha256 for item in calls_of(material, row)}
        assert not drawn & reviewed
        with material.store.session() as session:
            arena.give_up(session, stored_id(row.id))


async def test_one_product_alone_may_be_chosen(material: Console, sign_in: SignIn) -> None:
    user = await sign_in("mia")
    await user.open("/arena")
    next(iter(user.find(marker="arena-category").elements)).value = "dots"
    user.find(marker="play-free").click()
    await see(user, "Ready")
    assert {item.category for item in calls_of(material, newest_round(material))} == {"dots"}


async def test_too_few_pictures_are_refused_with_the_reason(material: Console, sign_in: SignIn) -> None:
    user = await sign_in("mia")
    await user.open("/arena")
    for path in list((material.services.settings.data_dir).rglob("test/stain/*.png"))[:10]:
        path.unlink()
    user.find(marker="play-free").click()
    await see(user, "There are 2 defects and 12 normal parts")
    await see(user, marker="play-free")


@pytest.mark.parametrize(
    "detail",
    [
        None,
        "defect",
        {"said": "maybe"},
        {"said": ""},
        {"said": "defect", "call": "of another picture"},
        {"said": ["defect"]},
    ],
)
async def test_nonsense_from_a_browser_answers_nothing(
    material: Console, sign_in: SignIn, detail: Any
) -> None:
    user = await sign_in("mia")
    row = await begin(user, material)
    await next_picture(user, "arena-start", 1)
    user.find(marker="arena-play").trigger("call", {"detail": detail})
    await see(user, marker="arena-defect")
    assert calls_of(material, row)[0].answered_at is None


@pytest.mark.parametrize(
    ("x", "y"), [(-1, 0.5), (2, 0.5), (float("nan"), 0.5), ("0.5", 0.5), (True, 0.5), (0.5, None)]
)
async def test_a_mark_outside_the_picture_is_no_mark(
    material: Console, sign_in: SignIn, x: Any, y: Any
) -> None:
    user = await sign_in("mia")
    row = await begin(user, material)
    await next_picture(user, "arena-start", 1)
    await call(user, "defect", calls_of(material, row)[0].token, x, y)
    await see(user, marker="arena-reveal")
    first = calls_of(material, row)[0]
    assert (first.said, first.mark_x, first.distance) == ("defect", None, None)


async def test_an_answer_given_in_another_tab_stands(material: Console, sign_in: SignIn) -> None:
    user = await sign_in("mia")
    row = await begin(user, material)
    await next_picture(user, "arena-start", 1)
    first = calls_of(material, row)[0]
    with material.store.session() as session:
        arena.answer(session, stored_id(first.id), rules.Call.NORMAL)
    await call(user, "defect", first.token, 0.5, 0.5)
    await see(user, marker="arena-reveal")
    kept = calls_of(material, row)[0]
    assert kept.said == "normal"
    await see(user, "Wrong" if kept.defective else "Right")


async def test_an_account_that_was_switched_off_plays_no_more(material: Console, sign_in: SignIn) -> None:
    user = await sign_in("victor")
    row = await begin(user, material)
    await next_picture(user, "arena-start", 1)
    with material.store.session() as session:
        users.set_active(session, name="victor", active=False, actor="ada")
    await call(user, "normal", calls_of(material, row)[0].token)
    await user.should_not_see(marker="arena-reveal")
    assert calls_of(material, row)[0].answered_at is None


async def test_a_model_that_fails_leaves_the_lobby_usable(
    console: Console, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No picture was inspected before, so the AI has to look, and cannot."""
    write_product(console.services.settings.data_dir, "dots", train=1)

    def broken(image: Any, category: str | None = None) -> Any:
        raise RuntimeError("no memory")

    monkeypatch.setattr(console.inspector, "examine", broken, raising=False)
    user = await sign_in("mia")
    await user.open("/arena")
    user.find(marker="play-free").click()
    await see(user, "The AI could not look at the pictures.")
    await see(user, marker="play-free")
