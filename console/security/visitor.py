"""What every page and every event handler does first: find out who asks."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request

from anomalyos.accounts.tables import Role
from console.security.sessions import Person, login_url, session_person
from console.services.blocking import run_blocking
from console.services.inspection import InspectionService
from console.ui.theme import Frame


@dataclass(frozen=True)
class Visit:
    """One opened page: who opened it and what the frame needs to know."""

    person: Person
    open_items: int


async def visit(request: Request, desk: InspectionService) -> Visit:
    """The visitor of a page; the guard has made sure that there is one.

    Raises:
        RuntimeError: the session ended between the guard and the page.
    """
    person = await session_person(request, desk)
    if person is None:
        raise RuntimeError("the session ended while the page was being built")
    return Visit(person, await run_blocking(desk.open_items))


async def reauthorize(desk: InspectionService, frame: Frame, role: Role) -> Person | None:
    """The person behind an event when the role suffices, asked anew for every event.

    Otherwise None, after saying why: a role may have been taken away while the page was open.
    """
    person = await session_person(frame.client.request, desk)
    if person is None:
        frame.client.open(login_url(frame.client.request.url.path))
        return None
    if not person.may(role):
        frame.toast(f"This needs the role {role.value}; yours is {person.role.value}.", icon_name="lock")
        return None
    return person
