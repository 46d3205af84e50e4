"""Who may use REST and media: a bearer token with the right scope, or a signed-in person."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, HTTPException, Request

from anomalyos.accounts.tables import Role, Scope
from anomalyos.core.errors import NotAllowed
from console.security.person import Person
from console.security.sessions import Sessions
from console.services.blocking import run_blocking


def _known(request: Request) -> Person:
    person: Person = request.state.caller
    return person


Caller = Annotated[Person, Depends(_known)]
"""Of a handler: the person that ``identify`` found."""


def identify(
    sessions: Sessions, *, role: Role, scope: Scope | None, local: bool = False
) -> Callable[[Request], Awaitable[None]]:
    """Dependency that finds out who calls, before a handler or its body is looked at.

    A token needs ``scope`` and counts for nothing without one; the person behind a token or session needs
    ``role``. Answers 401 when nobody is identified, 403 when somebody is who may not.

    Args:
        local: programs on this machine need to be nobody.
    """

    async def find(request: Request) -> None:
        if local and _is_local(request):
            return
        authorization = request.headers.get("authorization")
        if authorization is not None and scope is not None:
            person = await _by_token(authorization, sessions, scope)
        else:
            found = await sessions.person(request)
            if found is None:
                raise _unauthenticated("Sign in, or send a bearer token.")
            person = found
        if not person.may(role):
            raise HTTPException(403, f"This needs the role {role.value}; you have {person.role.value}.")
        request.state.caller = person

    return find


async def _by_token(authorization: str, sessions: Sessions, scope: Scope) -> Person:
    try:
        return await run_blocking(sessions.token_person, authorization, scope)
    except NotAllowed as error:
        if await run_blocking(_has_another_scope, authorization, sessions, scope):
            raise HTTPException(403, str(error)) from error
        raise _unauthenticated(str(error)) from error


def _has_another_scope(authorization: str, sessions: Sessions, scope: Scope) -> bool:
    """Whether the token is sound and only lacks ``scope``: that is a 403, not a 401."""
    for other in Scope:
        if other != scope:
            try:
                sessions.token_person(authorization, other)
            except NotAllowed:
                continue
            return True
    return False


def _unauthenticated(detail: str) -> HTTPException:
    return HTTPException(401, detail, headers={"WWW-Authenticate": "Bearer"})


def _is_local(request: Request) -> bool:
    """Whether a program on this machine asks directly.

    A forwarding proxy on this machine would make the whole world local, so its headers rule that out.
    """
    if request.client is None or any(h in request.headers for h in ("forwarded", "x-forwarded-for")):
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
