"""Who is there: signing in and out, the person behind a request, and bearer tokens."""

from __future__ import annotations

import asyncio
import hmac
import secrets
import time
from typing import Any
from urllib.parse import quote, urlsplit

from fastapi import Request
from nicegui import app

from anomalyos.accounts import tokens, users
from anomalyos.accounts.tables import Role, User
from anomalyos.core.errors import NotAllowed
from anomalyos.core.settings import Settings
from anomalyos.db.engine import Store
from anomalyos.db.rows import stored_id
from console.security.limiter import RateLimit
from console.security.person import Person

_KEY = "sign_in"
PER_PERSON = (5, 15 * 60.0)
"""Failures and seconds for one name from one address."""
PER_ADDRESS = (30, 15 * 60.0)
"""Failures and seconds for one address, whatever the names."""


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


class Sessions:
    """Sessions of people and tokens of programs, over the accounts of one store."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store
        self._per_person, self._per_address = RateLimit(*PER_PERSON), RateLimit(*PER_ADDRESS)

    async def sign_in(self, request: Request, name: str, password: str) -> int | None:
        """Bind this browser to the person with this name and password.

        Returns:
            None when it is done. Else the minutes until the next try, 0 when it may come at once: the
            password is only looked at when there were not too many failures before.
        """
        address = request.client.host if request.client else "unknown"
        key = f"{name.strip().lower()}\n{address}"
        wait = self._wait(key, address)
        if wait:
            return wait
        user = await asyncio.to_thread(self._authenticate, name.strip(), password)
        if user is None:
            self._per_person.failed(key)
            self._per_address.failed(address)
            return self._wait(key, address)
        self._per_person.succeeded(key)
        _bind(request, user)
        return None

    def _wait(self, key: str, address: str) -> int:
        return max(self._per_person.wait_minutes(key), self._per_address.wait_minutes(address))

    def _authenticate(self, name: str, password: str) -> User | None:
        with self._store.session() as session:
            return users.authenticate(session, name, password)

    async def person(self, request: Request) -> Person | None:
        """The person signed in with this request's cookie.

        None when nobody is, when the session is older than ``session_hours``, or when the account
        was changed since (password, role, switched off).
        """
        held: dict[str, Any] | None = app.storage.user.get(_KEY)
        ticket = request.session.get(_KEY)
        if not held or not isinstance(ticket, str) or not hmac.compare_digest(ticket, held["ticket"]):
            return None
        if time.time() - held["since"] > self._settings.session_hours * 3600:
            return None
        user = await asyncio.to_thread(self._load_user, held["user_id"])
        if user is None or not user.active or user.session_epoch != held["epoch"]:
            return None
        return _person(user)

    def _load_user(self, user_id: int) -> User | None:
        with self._store.session(read_only=True) as session:
            return session.get(User, user_id)

    def token_person(self, authorization: str, scope: str) -> Person:
        """The owner of the bearer token in an ``Authorization`` header. Blocking.

        Raises:
            NotAllowed: no such token, expired, revoked, or without ``scope``.
        """
        kind, _, plain = authorization.partition(" ")
        if kind.lower() != "bearer" or not plain.strip():
            raise NotAllowed("The Authorization header must read 'Bearer aos_…'.")
        with self._store.session() as session:
            user, _ = tokens.verify(session, plain.strip(), scope)
        return _person(user)


def _bind(request: Request, user: User) -> None:
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


def _person(user: User) -> Person:
    return Person(stored_id(user.id), user.name, Role(user.role))
