"""Who may use REST and media: a bearer token with the right scope, or a signed-in person."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import HTTPException, Request

from anomalyos.accounts.tables import Role, Scope
from anomalyos.core.errors import NotAllowed
from console.security.sessions import Person, session_person, token_person
from console.services.blocking import run_blocking
from console.services.inspection import InspectionService

Identify = Callable[[Request], Awaitable[Person]]


def caller(desk: InspectionService, *, scope: str, role: Role) -> Identify:
    """Dependency giving the caller.

    A token needs ``scope``; the person behind a token or session needs ``role``. Answers 401 when
    nobody is identified, 403 when somebody is who may not.
    """

    async def identify(request: Request) -> Person:
        authorization = request.headers.get("authorization")
        if authorization is not None:
            person = await _by_token(authorization, desk, scope)
        else:
            found = await session_person(request, desk)
            if found is None:
                raise _unauthenticated("Sign in, or send a bearer token.")
            person = found
        if not person.may(role):
            raise HTTPException(403, f"This needs the role {role.value}; you have {person.role.value}.")
        return person

    return identify


async def _by_token(authorization: str, desk: InspectionService, scope: str) -> Person:
    try:
        return await run_blocking(token_person, authorization, desk.store, scope)
    except NotAllowed as error:
        if await run_blocking(_has_another_scope, authorization, desk, scope):
            raise HTTPException(403, str(error)) from error
        raise _unauthenticated(str(error)) from error


def _has_another_scope(authorization: str, desk: InspectionService, scope: str) -> bool:
    """Whether the token is sound and only lacks ``scope``: that is a 403, not a 401."""
    for other in Scope:
        if other != scope:
            try:
                token_person(authorization, desk.store, other)
            except NotAllowed:
                continue
            return True
    return False


def _unauthenticated(detail: str) -> HTTPException:
    return HTTPException(401, detail, headers={"WWW-Authenticate": "Bearer"})


def reader(desk: InspectionService) -> Identify:
    return caller(desk, scope=Scope.READ, role=Role.VIEWER)


def operator(desk: InspectionService) -> Identify:
    return caller(desk, scope=Scope.INSPECT, role=Role.REVIEWER)
