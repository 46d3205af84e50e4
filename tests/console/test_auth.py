from __future__ import annotations

import pytest

from anomalyos.accounts import users
from console.security import sessions as auth
from console.security.sessions import safe_next
from tests.console.conftest import PASSWORD, Console, SignIn


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example/",
        "/\\evil.example",
        "https://evil.example/",
        "javascript:alert(1)",
        "evil",
        "",
        None,
        "/a\r\nSet-Cookie: x",
        "/\t/evil.example",
        "/login?next=/",
        "/logout",
        "\\\\evil.example",
    ],
)
def test_next_never_leaves_this_server(target: str | None) -> None:
    assert safe_next(target) == "/"


@pytest.mark.parametrize("target", ["/", "/nights?offset=30", "/inspection/7", "/?batch=night-2026-11-24"])
def test_next_keeps_own_paths(target: str) -> None:
    assert safe_next(target) == target


async def test_strangers_are_led_to_the_sign_in_page_and_back(console: Console) -> None:
    answer = await console.client.get("/inspection/7?x=1")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=/inspection/7%3Fx%3D1"
    form = {"name": "mia", "password": PASSWORD, "next": "/inspection/7?x=1"}
    answer = await console.client.post("/login", data=form)
    assert answer.headers["location"] == "/inspection/7?x=1"
    assert (await console.client.get("/login", follow_redirects=False)).status_code == 303


async def test_open_redirect_is_refused_after_signing_in(console: Console) -> None:
    form = {"name": "mia", "password": PASSWORD, "next": "//evil.example"}
    assert (await console.client.post("/login", data=form)).headers["location"] == "/"


async def test_wrong_passwords_are_counted_per_name_and_address(console: Console) -> None:
    wrong = {"name": "mia", "password": "guess", "next": "/"}
    places = [(await console.client.post("/login", data=wrong)).headers["location"] for _ in range(5)]
    assert all("failed=1" in place for place in places[:4])
    assert "wait=15" in places[4]
    right = {**wrong, "password": PASSWORD}
    assert "wait=" in (await console.client.post("/login", data=right)).headers["location"]
    page = await console.client.get(places[4])
    assert "Too many attempts. Try again in 15 minutes." in page.text
    # neither another person here nor the same person elsewhere is locked out
    other = {"name": "ada", "password": PASSWORD, "next": "/"}
    assert (await console.new_client().post("/login", data=other)).headers["location"] == "/"
    assert (await console.new_client("10.0.0.9").post("/login", data=right)).headers["location"] == "/"


async def test_unknown_names_get_the_same_answer(console: Console) -> None:
    answers = [
        (await console.client.post("/login", data={"name": name, "password": "guess"})).headers["location"]
        for name in ("mia", "nobody")
    ]
    assert answers[0] == answers[1]


async def test_signing_out_ends_the_session_on_the_server(console: Console, sign_in: SignIn) -> None:
    user = await sign_in("mia")
    stolen = dict(user.http_client.cookies)
    assert (await user.http_client.get("/nights")).status_code == 200
    await user.http_client.post("/logout")
    thief = console.new_client()
    thief.cookies.update(stolen)
    assert (await thief.get("/nights")).status_code == 303


async def test_a_cookie_from_before_signing_in_is_worth_nothing(console: Console) -> None:
    client = console.new_client()
    await client.get("/login")
    planted = dict(client.cookies)
    await client.post("/login", data={"name": "mia", "password": PASSWORD})
    attacker = console.new_client()
    attacker.cookies.update(planted)
    assert (await attacker.get("/nights")).status_code == 303


async def test_a_changed_role_ends_sessions(console: Console, sign_in: SignIn) -> None:
    user = await sign_in("mia")
    with console.store.session() as session:
        users.set_role(session, name="mia", role="viewer", actor="ada")
    assert (await user.http_client.get("/nights")).status_code == 303


async def test_sessions_end_after_session_hours(
    console: Console, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = await sign_in("mia")
    later = auth.time.time() + console.services.settings.session_hours * 3600 + 1
    monkeypatch.setattr(auth.time, "time", lambda: later)
    assert (await user.http_client.get("/nights")).status_code == 303


async def test_the_cookie_is_strict_and_hidden_from_scripts(console: Console) -> None:
    answer = await console.client.post("/login", data={"name": "mia", "password": PASSWORD})
    cookie = answer.headers["set-cookie"].lower()
    assert "samesite=strict" in cookie
    assert "httponly" in cookie
