"""Who asks, for every page and every event anew; and one action of that person, with its refusal said."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from fastapi import Request
from nicegui import ui

from anomalyos.accounts.tables import Role
from anomalyos.core.errors import AnomalyOSError
from console.container import Services
from console.security.person import Person
from console.security.sessions import login_url
from console.services.blocking import run_blocking
from console.ui import kit
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


T = TypeVar("T")


class OneAtATime:
    """Actions of one open page: another one is dropped while the first is on its way."""

    def __init__(self, services: Services, shell: Frame, role: Role) -> None:
        self._services, self._shell, self._role = services, shell, role
        self._busy = False

    async def __call__(self, action: Callable[[Person], Awaitable[None]]) -> None:
        if self._busy:
            return
        self._busy = True
        try:
            person = await reauthorize(self._services, self._shell, self._role)
            if person is not None:
                await action(person)
        finally:
            self._busy = False


async def attempt(
    services: Services,
    shell: Frame,
    role: Role,
    work: Callable[[Person], T],
    place: ui.element | None = None,
    *,
    say: Callable[[AnomalyOSError], str] = str,
) -> tuple[T] | None:
    """What ``work`` returns, alone in a tuple, so that None always means: not done, and why was said.

    Args:
        work: blocking; gets the person, whose role is at least ``role``.
        place: where in an open window a refusal is said; a toast says it without one.
        say: an error in words.
    """
    person = await reauthorize(services, shell, role)
    if person is None:
        return None
    if place is not None:
        place.clear()
    try:
        return (await run_blocking(work, person),)
    except AnomalyOSError as error:
        if place is None:
            shell.toast(say(error), icon_name="error", seconds=10)
        else:
            refuse(place, say(error))
        return None


def refuse(place: ui.element, text: str, icon_name: str = "error") -> None:
    """Say in an open window why nothing was done."""
    with kit.redrawn(place):
        kit.notice(text, "defect", icon_name).mark("refused")
