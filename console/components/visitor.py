"""What every page and every event handler does first: find out who asks."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request

from anomalyos.accounts.tables import Role
from console.container import Services
from console.security.person import Person
from console.security.sessions import login_url
from console.services.blocking import run_blocking
from console.ui.theme import Frame


@dataclass(frozen=True)
class Visitor:
    """One opened page: who opened it and what the frame needs to know."""

    person: Person
    open_items: int


async def current_visitor(request: Request, services: Services) -> Visitor:
    """The visitor of a page; the guard has made sure that there is one.

    Raises:
        RuntimeError: the session ended between the guard and the page.
    """
    person = await services.sessions.person(request)
    if person is None:
        raise RuntimeError("the session ended while the page was being built")
    return Visitor(person, await run_blocking(services.inspections.open_items))


async def reauthorize(services: Services, frame: Frame, role: Role) -> Person | None:
    """The person behind an event when the role suffices, asked anew for every event.

    Otherwise None, after saying why: a role may have been taken away while the page was open.
    """
    person = await services.sessions.person(frame.client.request)
    if person is None:
        frame.client.open(login_url(frame.client.request.url.path))
        return None
    if not person.may(role):
        frame.toast(f"This needs the role {role.value}; yours is {person.role.value}.", icon_name="lock")
        return None
    return person
