"""Who is there: signing in and out, the person behind a request, and bearer tokens."""

from __future__ import annotations

import hmac
import secrets
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from fastapi import APIRouter, Form, Request
from nicegui import app
from starlette.responses import RedirectResponse, Response

from anomalyos.accounts import tokens, users
from anomalyos.accounts.tables import Role, User
from anomalyos.core.errors import NotAllowed
from anomalyos.db.engine import Store
from console.security.limiter import RateLimit
from console.services.blocking import run_blocking
from console.services.inspection import InspectionService

_KEY = "sign_in"
PER_PERSON = (5, 15 * 60.0)
"""Failures and seconds for one name from one address."""
PER_ADDRESS = (30, 15 * 60.0)
"""Failures and seconds for one address, whatever the names."""


@dataclass(frozen=True)
class Person:
    """The actor behind a page, an action or a REST call."""

    user_id: int
    name: str
    role: Role

    def may(self, role: Role) -> bool:
        """Whether the person's role is at least ``role``."""
        order = tuple(Role)
        return order.index(self.role) >= order.index(role)


def safe_next(target: str | None) -> str:
    """``target`` when it is a path on this very server, else ``/``.

    Browsers read ``//host``, ``/\\host`` and control characters as another host, so these go to ``/``.
    """
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return "/"
    if any(ord(character) < 32 or character == "\\" for character in target):
        return "/"
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or parts.path.startswith(("/login", "/logout")):
        return "/"
    return target


def login_url(target: str) -> str:
    return f"/login?next={quote(safe_next(target), safe='/')}"


def sign_in(request: Request, user: User) -> None:
    """Bind this browser to ``user``.

    The secret lives in the signed cookie and on the server: an older cookie of the same browser
    (session fixation) does not become a signed-in one, and signing out works on the server.
    """
    ticket = secrets.token_urlsafe(24)
    request.session[_KEY] = ticket
    app.storage.user[_KEY] = {
        "ticket": ticket,
        "user_id": user.id,
        "epoch": user.session_epoch,
        "since": time.time(),
    }


def sign_out(request: Request) -> None:
    request.session.pop(_KEY, None)
    app.storage.user.pop(_KEY, None)


async def session_person(request: Request, desk: InspectionService) -> Person | None:
    """The person signed in with this request's cookie.

    None when nobody is, when the session is older than ``session_hours``, or when the account
    was changed since (password, role, switched off).
    """
    held: dict[str, Any] | None = app.storage.user.get(_KEY)
    ticket = request.session.get(_KEY)
    if not held or not isinstance(ticket, str) or not hmac.compare_digest(ticket, held["ticket"]):
        return None
    if time.time() - held["since"] > desk.settings.session_hours * 3600:
        return None
    user = await run_blocking(_load_user, desk.store, held["user_id"])
    if user is None or not user.active or user.session_epoch != held["epoch"]:
        return None
    return _person(user)


def _load_user(store: Store, user_id: int) -> User | None:
    with store.session(read_only=True) as session:
        return session.get(User, user_id)


def token_person(authorization: str, store: Store, scope: str) -> Person:
    """The owner of the bearer token in an ``Authorization`` header.

    Raises:
        NotAllowed: no such token, expired, revoked, or without ``scope``.
    """
    kind, _, plain = authorization.partition(" ")
    if kind.lower() != "bearer" or not plain.strip():
        raise NotAllowed("The Authorization header must read 'Bearer aos_…'.")
    with store.session() as session:
        user, _ = tokens.verify(session, plain.strip(), scope)
    return _person(user)


def _person(user: User) -> Person:
    assert user.id is not None
    return Person(user.id, user.name, Role(user.role))


def register(desk: InspectionService) -> None:
    """Routes that sign in and out; the sign-in page itself is ``console.pages.login``."""
    router = APIRouter(include_in_schema=False)
    per_person, per_address = RateLimit(*PER_PERSON), RateLimit(*PER_ADDRESS)

    @router.post("/login")
    async def login(
        request: Request,
        name: str = Form("", max_length=64),
        password: str = Form("", max_length=1024),
        next: str = Form("/", max_length=2000),
    ) -> Response:
        address = request.client.host if request.client else "unknown"
        key = f"{name.strip().lower()}\n{address}"
        wait = max(per_person.wait_minutes(key), per_address.wait_minutes(address))
        if wait:
            return _back_to_login(next, wait=str(wait))
        user = await run_blocking(_authenticate, desk.store, name.strip(), password)
        if user is None:
            per_person.failed(key)
            per_address.failed(address)
            wait = max(per_person.wait_minutes(key), per_address.wait_minutes(address))
            return _back_to_login(next, **({"wait": str(wait)} if wait else {"failed": "1"}))
        per_person.succeeded(key)
        sign_in(request, user)
        return RedirectResponse(safe_next(next), status_code=303)

    @router.post("/logout")
    async def logout(request: Request) -> Response:
        sign_out(request)
        return RedirectResponse("/login?signed_out=1", status_code=303)

    app.include_router(router)


def _authenticate(store: Store, name: str, password: str) -> User | None:
    with store.session() as session:
        return users.authenticate(session, name, password)


def _back_to_login(target: str, **query: str) -> Response:
    return RedirectResponse("/login?" + urlencode({"next": safe_next(target), **query}), status_code=303)
