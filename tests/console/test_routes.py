"""Every address of the console against everybody who might ask: nobody gets what they should not."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx
import itsdangerous
import pytest
from nicegui import app

from anomalyos.accounts import tokens, users
from anomalyos.accounts.tables import ApiToken, Role, Scope
from anomalyos.cases import repository as case_repository
from anomalyos.cases.tables import CaseOrigin, DefectCase
from anomalyos.db.columns import utc_now
from anomalyos.db.rows import stored_id
from anomalyos.inspection.tables import Image, Inspection
from console.routes import Kind
from tests.console.conftest import Console, SignIn
from tests.console.factory import finish_night, open_night
from tests.console.route_table import EXAMPLES, RULES, Rule, as_registered
from tests.support.products import picture

ELSEWHERE = "203.0.113.7"
"""Not this machine: /metrics is open to programs that run beside the console."""
NAMES = {Role.VIEWER: "victor", Role.REVIEWER: "mia", Role.ENGINEER: "erik", Role.ADMIN: "ada"}
LOGIN, UNKNOWN, FORBIDDEN = "login", 401, 403


@pytest.fixture
def known(console: Console) -> dict[str, object]:
    """Something for every address to be about."""
    key = open_night(console.store, "2026-11-24", expected=1)
    row = console.inspector.inspect(
        picture("dots", 1, flawed=True), source="1.png", batch_key=key, category="dots"
    )
    finish_night(console.store, key)
    return {"inspection_id": row.id, "case_id": add_case(console, row)}


def add_case(console: Console, row: Inspection) -> int:
    """A known defect with the inspection's picture as its photograph and as its crop."""
    with console.store.session() as session:
        path = session.get_one(Image, row.image_id).object_path
        case = DefectCase(
            content_key="",
            category="dots",
            defect_type="stain",
            origin=CaseOrigin.REVIEW,
            source=f"inspection:{row.id}",
            inspection_id=row.id,
            image_sha256=row.content_sha256,
            image_path=path,
            crop_path=path,
            box={"x": 10, "y": 10, "width": 20, "height": 20},
            added_by="mia",
        )
        return stored_id(case_repository.add(session, case, "mia")[0].id)


async def ask(client: httpx.AsyncClient, rule: Rule, known: Mapping[str, object], **more: Any) -> str | int:
    """The status; for a redirect to the sign-in page LOGIN, and FORBIDDEN for a closed page that says so."""
    answer = await client.request(rule.method, rule.address(known), **rule.send, **more)
    if answer.status_code == 303 and answer.headers["location"].startswith("/login?next="):
        return LOGIN if rule.path != "/login" else 303
    closed = rule.page and rule.role not in (None, Role.VIEWER)
    if closed and answer.status_code == 200 and "needs the role" in answer.text:
        return FORBIDDEN
    return answer.status_code


def turned_away(rule: Rule) -> str | int:
    """What somebody who is nobody must be answered."""
    return LOGIN if rule.page else UNKNOWN


async def mistakes(
    client: httpx.AsyncClient, known: Mapping[str, object], role: Role | None, **more: Any
) -> list[tuple[str, str | int]]:
    """Addresses that answered otherwise than their rule says, to a caller with ``role`` (None: nobody)."""
    wrong = []
    for rule in RULES:
        got = await ask(client, rule, known, **more)
        if rule.role is None or (
            role is not None and tuple(Role).index(role) >= tuple(Role).index(rule.role)
        ):
            allowed: tuple[str | int, ...] = rule.fine
        elif role is None:
            allowed = (turned_away(rule),)
        else:
            allowed = (FORBIDDEN,)
        if got not in allowed:
            wrong.append((rule.name, got))
    return wrong


def test_every_address_has_a_rule(console: Console) -> None:
    assert as_registered(app.routes) == {rule.name for rule in RULES}
    assert {rule.name for rule in RULES} >= set(EXAMPLES)


def test_what_takes_more_than_a_viewer_and_what_takes_nobody() -> None:
    """The table decides who may do what, so what it says is said a second time here."""
    assert {rule.name: rule.role for rule in RULES if rule.role not in (None, Role.VIEWER)} == {
        "POST /inspect": Role.REVIEWER,
        "POST /api/inspections/{inspection_id}/review": Role.REVIEWER,
        "POST /api/retrain": Role.ENGINEER,
        "GET /api/retrain/{run_id}": Role.ENGINEER,
        "GET /admin/models": Role.ENGINEER,
        "GET /admin/retraining": Role.ENGINEER,
        "GET /admin/audit": Role.ENGINEER,
        "GET /api/console/audit.csv": Role.ENGINEER,
        "GET /admin/people": Role.ADMIN,
        "GET /admin/tokens": Role.ADMIN,
    }
    own = {rule.path for rule in RULES if rule.role is None and rule.route.kind is not Kind.FILES}
    assert own == {"/login", "/health"}
    tokens_for = {rule.path: rule.scope for rule in RULES if rule.scope not in (None, Scope.READ)}
    assert tokens_for == {
        "/inspect": Scope.INSPECT,
        "/api/inspections/{inspection_id}/review": Scope.INSPECT,
        "/api/retrain": Scope.RETRAIN,
        "/api/retrain/{run_id}": Scope.RETRAIN,
    }
    take_tokens = {rule.path.split("/")[1] for rule in RULES if rule.scope is not None}
    assert take_tokens == {"inspect", "metrics", "api", "media", "export", "openapi.json"}
    assert [rule.path for rule in RULES if rule.route.local] == ["/metrics"]


async def test_addresses_made_while_a_page_is_open_are_closed_to_strangers(
    console: Console, sign_in: SignIn
) -> None:
    user = await sign_in("mia")
    await user.open("/live")
    made = as_registered(app.routes) - {rule.name for rule in RULES}
    assert made
    for name in made:
        method, path = name.split(" ")
        assert path.startswith("/_nicegui/client/")
        answer = await console.client.request(method, path, files={"file": ("a.png", b"x")})
        assert answer.status_code == UNKNOWN, name


async def test_strangers(console: Console, known: dict[str, object]) -> None:
    assert await mistakes(console.new_client(ELSEWHERE), known, None) == []


@pytest.mark.parametrize("role", list(Role))
async def test_each_role(console: Console, known: dict[str, object], sign_in: SignIn, role: Role) -> None:
    user = await sign_in(NAMES[role])
    away = console.new_client(ELSEWHERE)
    away.cookies.update(user.http_client.cookies)
    assert await mistakes(away, known, role) == []


async def test_metrics_are_open_to_this_machine_alone(console: Console) -> None:
    assert (await console.new_client("127.0.0.1").get("/metrics")).status_code == 200
    for headers in ({"X-Forwarded-For": "127.0.0.1"}, {"Forwarded": "for=127.0.0.1"}):
        answer = await console.new_client("127.0.0.1").get("/metrics", headers=headers)
        assert answer.status_code == UNKNOWN


def signed(content: dict[str, Any], secret: str, age_s: int = 0) -> str:
    """A session cookie as Starlette writes it."""

    class Signer(itsdangerous.TimestampSigner):
        def get_timestamp(self) -> int:
            return super().get_timestamp() - age_s

    return Signer(secret).sign(b64encode(json.dumps(content).encode())).decode()


def content_of(cookie: str) -> dict[str, Any]:
    payload = itsdangerous.base64_decode(cookie.split(".")[0].rstrip("="))
    found: dict[str, Any] = json.loads(payload)
    return found


@pytest.mark.parametrize("how", ["other secret", "cut", "changed", "no ticket", "wrong ticket", "expired"])
async def test_forged_and_expired_cookies(
    console: Console, known: dict[str, object], sign_in: SignIn, how: str
) -> None:
    user = await sign_in("ada")
    (name, cookie), *_ = user.http_client.cookies.items()
    content, secret = content_of(cookie), console.services.settings.resolved_session_secret()
    assert signed(content, secret).split(".")[0] == cookie.split(".")[0]
    forged = {
        "other secret": lambda: signed(content, "a guess"),
        "cut": lambda: cookie[:-4],
        "changed": lambda: signed(content | {"x": 1}, secret).split(".")[0] + "." + cookie.split(".", 1)[1],
        "no ticket": lambda: signed({"id": content["id"]}, secret),
        "wrong ticket": lambda: signed(content | {"sign_in": "x" * 32}, secret),
        "expired": lambda: signed(content, secret, console.services.settings.session_hours * 3600 + 60),
    }[how]()
    thief = console.new_client(ELSEWHERE)
    wrong = []
    for rule in RULES:
        # anew each time: the answer replaces what it does not believe
        got = await ask(thief, rule, known, headers={"Cookie": f"{name}={forged}"})
        thief.cookies.clear()
        if got not in (rule.fine if rule.role is None else (turned_away(rule),)):
            wrong.append((rule.name, got))
    assert wrong == []


@pytest.mark.parametrize(
    "what", ["signed out", "switched off", "role changed", "password changed", "too old"]
)
async def test_sessions_that_ended(
    console: Console, known: dict[str, object], sign_in: SignIn, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = await sign_in("erik")
    stolen = console.new_client(ELSEWHERE)
    stolen.cookies.update(user.http_client.cookies)
    with console.store.session() as session:
        if what == "switched off":
            users.set_active(session, name="erik", active=False, actor="ada")
        elif what == "role changed":
            users.set_role(session, name="erik", role="viewer", actor="ada")
        elif what == "password changed":
            users.set_password(session, name="erik", password="another-long-one", actor="ada")
    if what == "signed out":
        await user.http_client.post("/logout")
    elif what == "too old":
        later = time.time() + console.services.settings.session_hours * 3600 + 1
        monkeypatch.setattr(time, "time", lambda: later)
    assert await mistakes(stolen, known, None) == []


def token_of(
    console: Console, owner: str, *scopes: Scope, expired: bool = False, revoked: bool = False
) -> dict[str, str]:
    with console.store.session() as session:
        user = users.by_name(session, owner)
        assert user.id is not None
        token, plain = tokens.create(
            session, user_id=user.id, name="line", scopes=scopes, expires_in_days=1, actor="ada"
        )
        assert token.id is not None
        if expired:
            session.get_one(ApiToken, token.id).expires_at = utc_now() - timedelta(seconds=1)
        if revoked:
            tokens.revoke(session, token_id=token.id, actor="ada")
    return {"Authorization": f"Bearer {plain}"}


async def wrong_with_token(
    console: Console, known: Mapping[str, object], headers: dict[str, str], role: Role, scopes: set[Scope]
) -> list[tuple[str, str | int]]:
    """As ``mistakes``, for a caller with nothing but a token; no scopes: the token is not valid at all."""
    wrong = []
    for rule in RULES:
        got = await ask(console.new_client(ELSEWHERE), rule, known, headers=headers)
        if rule.role is None:
            allowed: tuple[str | int, ...] = rule.fine
        elif rule.scope is None or not scopes:
            allowed = (turned_away(rule),)
        elif rule.scope in scopes and tuple(Role).index(role) >= tuple(Role).index(rule.role):
            allowed = rule.fine
        else:
            allowed = (FORBIDDEN,)
        if got not in allowed:
            wrong.append((rule.name, got))
    return wrong


@pytest.mark.parametrize("scopes", [{Scope.READ}, {Scope.INSPECT}, {Scope.READ, Scope.INSPECT}])
@pytest.mark.parametrize("role", [Role.VIEWER, Role.REVIEWER, Role.ADMIN])
async def test_tokens_open_what_their_scope_and_their_owner_may(
    console: Console, known: dict[str, object], role: Role, scopes: set[Scope]
) -> None:
    headers = token_of(console, NAMES[role], *scopes)
    assert await wrong_with_token(console, known, headers, role, scopes) == []


@pytest.mark.parametrize(
    "what", ["expired", "revoked", "made up", "owner switched off", "not a bearer", "empty"]
)
async def test_tokens_that_are_worth_nothing(console: Console, known: dict[str, object], what: str) -> None:
    headers = token_of(console, "erik", *Scope, expired=what == "expired", revoked=what == "revoked")
    if what == "owner switched off":
        with console.store.session() as session:
            users.set_active(session, name="erik", active=False, actor="ada")
    elif what == "made up":
        headers = {"Authorization": "Bearer aos_" + "0" * 40}
    elif what == "not a bearer":
        headers = {"Authorization": headers["Authorization"].replace("Bearer", "Basic")}
    elif what == "empty":
        headers = {"Authorization": ""}
    assert await wrong_with_token(console, known, headers, Role.ENGINEER, set()) == []


async def test_a_bad_token_is_not_made_good_by_a_session(
    console: Console, known: dict[str, object], sign_in: SignIn
) -> None:
    user = await sign_in("ada")
    answer = await user.http_client.get(
        f"/api/inspections/{known['inspection_id']}", headers={"Authorization": "Bearer aos_nothing"}
    )
    assert answer.status_code == UNKNOWN
