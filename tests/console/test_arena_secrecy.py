"""What the Arena keeps to itself until a call was answered, over HTTP and in the page."""

from __future__ import annotations

import re

import pytest
from nicegui import ui
from nicegui.testing import User

from anomalyos.arena import repository as arena
from anomalyos.arena import rules
from anomalyos.db.rows import stored_id
from tests.console.arena_play import (
    begin,
    calls_of,
    material_of,
    next_picture,
    see,
    stock,
)
from tests.console.conftest import Console, SignIn

SECRETS = re.compile(
    rb"stain|ground_truth|test/good|/good/|[0-9]{3}\.png|anomalous|inspection:", re.IGNORECASE
)
"""Words that would tell what a picture is, or where it lies."""


@pytest.fixture
def material(console: Console) -> Console:
    return stock(console)


async def test_nothing_tells_the_answer_before_it_was_given(material: Console, sign_in: SignIn) -> None:
    user = await sign_in("mia")
    row = await begin(user, material)
    await next_picture(user, "arena-start", 1)
    item = calls_of(material, row)[0]
    page = await user.http_client.get(f"/arena/round/{row.token}")
    assert page.status_code == 200
    assert not SECRETS.search(page.content)
    kept = material_of(material, item)
    for secret in (kept.content_sha256, kept.map_path, str(kept.score), "heat/", "truth/"):
        assert secret.encode() not in page.content
    picture = await user.http_client.get(f"/arena/picture/{item.token}")
    assert picture.status_code == 200
    assert not SECRETS.search(picture.content + repr(picture.headers).encode())
    for kind in ("heat", "truth"):
        hidden = await user.http_client.get(f"/arena/{kind}/{item.token}")
        unknown = await user.http_client.get(f"/arena/{kind}/{'x' * 22}")
        assert hidden.status_code == unknown.status_code == 404
        assert hidden.content == unknown.content
        assert hidden.headers["cache-control"] == "no-store"


async def test_questions_about_normal_and_defective_pictures_are_alike(
    material: Console, sign_in: SignIn
) -> None:
    """Apart from the token and the product's name, a question is the same whatever it is about."""
    user = await sign_in("mia")
    row = await begin(user, material)
    drawn: dict[bool, set[str]] = {True: set(), False: set()}
    for item in calls_of(material, row):
        with material.store.session() as session:
            arena.show_next(session, stored_id(row.id))
        await user.open(f"/arena/round/{row.token}")
        await see(user, marker="arena-defect")
        shown = "".join(tree(part) for part in parts_of_the_question(user))
        drawn[item.defective].add(shown.replace(item.token, "TOKEN").replace(f"{item.place + 1} of", "N of"))
        with material.store.session() as session:
            arena.answer(session, stored_id(item.id), rules.Call.NONE)
    assert len(drawn[True]) == 1
    assert drawn[True] == drawn[False]


def parts_of_the_question(user: User) -> list[ui.element]:
    """Clock, picture and buttons; the line above tells about the pictures before."""
    root = next(iter(user.find(marker="arena-play").elements))
    wanted = {"aos-arena-clock", "aos-arena-stage", "aos-arena-foot"}
    return [child for child in root.default_slot.children if wanted & set(child.classes)]


def tree(element: ui.element) -> str:
    """What a browser is told of an element and everything inside it, without the seconds that are left."""
    text = getattr(element, "text", "")
    own = (
        element.tag,
        sorted(element.classes),
        dict(element.props),
        dict(element.style),
        re.sub(r"^\d+$", "S", text),
    )
    return repr(own) + "".join(tree(child) for child in element.default_slot.children)


async def test_another_players_round_does_not_exist(material: Console, sign_in: SignIn) -> None:
    mia, sam = await sign_in("mia"), await sign_in("ada")
    row = await begin(mia, material)
    await next_picture(mia, "arena-start", 1)
    token = calls_of(material, row)[0].token
    for address in (f"round/{row.token}", f"picture/{token}", f"thumb/{token}", f"heat/{token}"):
        answer = await sam.http_client.get(f"/arena/{address}", headers={"accept": "text/html"})
        assert answer.status_code == 404, address
        assert row.token.encode() not in answer.content.replace(f"/arena/{address}".encode(), b"")


async def test_a_picture_that_is_not_on_show_yet_does_not_exist(material: Console, sign_in: SignIn) -> None:
    user = await sign_in("mia")
    row = await begin(user, material)
    for item in calls_of(material, row):
        assert (await user.http_client.get(f"/arena/picture/{item.token}")).status_code == 404


async def test_after_the_answer_heat_map_and_truth_are_there(material: Console, sign_in: SignIn) -> None:
    user = await sign_in("mia")
    row = await begin(user, material)
    seen = {True: False, False: False}
    for item in calls_of(material, row):
        with material.store.session() as session:
            arena.show_next(session, stored_id(row.id))
            arena.answer(session, stored_id(item.id), rules.Call.NORMAL)
        heat = await user.http_client.get(f"/arena/heat/{item.token}")
        truth = await user.http_client.get(f"/arena/truth/{item.token}")
        assert heat.headers["content-type"] == "image/png"
        assert truth.status_code == (200 if item.defective else 404)
        seen[item.defective] = True
    assert all(seen.values())


async def test_nobody_plays_without_signing_in(material: Console) -> None:
    for path in ("/arena", "/arena/round/x", "/arena/picture/x"):
        answer = await material.client.get(path)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/login")
