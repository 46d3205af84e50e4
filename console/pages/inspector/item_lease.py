"""The lease of the item on a page: taken when shown, renewed while somebody is there, given back after."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from nicegui import ui

from anomalyos.accounts.tables import Role
from console.container import Services
from console.services.blocking import run_blocking
from console.services.queue import Lease
from console.services.views import Card
from console.ui.theme import Frame

BEAT = 15.0
"""Seconds between renewals, and between looks at what others hold."""
LEFT_ALONE = 15 * 60.0
"""Seconds without an action after which a page stops renewing: somebody has walked away."""


class ItemLease:
    """Holds at most one item, for the person of the frame; viewers hold none.

    Args:
        changed: called when others moved; with True when that concerns the item shown.
        shown: ids of the items in sight, to say who looks at which.
    """

    def __init__(
        self,
        services: Services,
        frame: Frame,
        changed: Callable[[bool], Awaitable[None]],
        shown: Callable[[], Sequence[int]] = tuple,
    ) -> None:
        self._services = services
        self._frame = frame
        self._changed = changed
        self._shown = shown
        self._lock = asyncio.Lock()
        self._lease: Lease | None = None
        self._wants: int | None = None
        self._touched = time.monotonic()
        self.others: dict[int, str] = {}
        """Who else looks at which of the items in sight."""
        ui.timer(BEAT, self._beat, immediate=False)
        frame.client.on_disconnect(self._left)
        frame.client.on_delete(self._left)

    @property
    def holder(self) -> str:
        """Who has the item shown; empty when it is ours or when nobody needs to hold it."""
        return "" if self._wants is None else self.others.get(self._wants, "")

    async def show(self, card: Card) -> None:
        """Take what is about to be shown, and give back what was shown before."""
        self._touched = time.monotonic()
        async with self._lock:
            await self._let_go(card.id)
            if card.decision is not None or not self._frame.person.may(Role.REVIEWER):
                self._wants = None
                return
            self._wants = card.id
            if self._lease is None:
                await self._take()

    async def first_free(self, cards: Sequence[Card]) -> int | None:
        """Take the first open card that nobody else looks at; its place, or None when there is none.

        A viewer, who takes nothing, gets the first.
        """
        if not self._frame.person.may(Role.REVIEWER):
            return 0 if cards else None
        ids = [card.id for card in cards if card.decision is None]
        self._touched = time.monotonic()
        async with self._lock:
            await self._let_go(None)
            lease = await run_blocking(self._services.queue.take_first, ids, self._name)
            if lease is None:
                return None
            self._keep(lease)
            self._wants = lease.inspection_id
        return next(place for place, card in enumerate(cards) if card.id == lease.inspection_id)

    async def look(self) -> None:
        """Find out what others hold."""
        ids = {*self._shown(), *([] if self._wants is None else [self._wants])}
        self.others = await run_blocking(self._services.queue.held_by_others, ids, self._name)

    async def confirm(self, inspection_id: int) -> bool:
        """Whether a decision about an open item may be made here now; if not, the page says why."""
        self._touched = time.monotonic()
        async with self._lock:
            if self._wants != inspection_id:
                return True
            was_taken = bool(self.holder)
            # asked anew each time: another page of the same person may have given it back
            if await self._take() and not was_taken:
                return True
        now = f"{self.holder} is looking at this." if self.holder else "It is free now. Decide when you like."
        self._frame.toast(now, icon_name="visibility")
        await self._changed(True)
        return False

    async def leave(self) -> None:
        """Hold nothing any more."""
        async with self._lock:
            self._wants = None
            await self._let_go(None)

    @property
    def _name(self) -> str:
        return self._frame.person.name

    async def _take(self) -> bool:
        """Take or renew what is wanted; who has it otherwise is in ``others``."""
        assert self._wants is not None
        lease = await run_blocking(self._services.queue.take, self._wants, self._name)
        if lease is not None:
            self._keep(lease)
            return True
        self._lease = None
        self.others |= await run_blocking(self._services.queue.held_by_others, [self._wants], self._name)
        return False

    def _keep(self, lease: Lease) -> None:
        self._lease = lease
        self.others.pop(lease.inspection_id, None)

    async def _let_go(self, keep: int | None) -> None:
        if self._lease is not None and self._lease.inspection_id != keep:
            leaving, self._lease = self._lease, None
            await run_blocking(self._services.queue.give_back, leaving)

    async def _left(self) -> None:
        """The browser is gone, for now at least: what it comes back to is taken again by the next beat."""
        async with self._lock:
            await self._let_go(None)

    async def _beat(self) -> None:
        if not self._frame.client.has_socket_connection:
            return
        person = await self._services.sessions.person(self._frame.client.request)
        if person is None:
            await self.leave()
            return
        before, holder = dict(self.others), self.holder
        async with self._lock:
            if self._wants is not None and person.may(Role.REVIEWER):
                if time.monotonic() - self._touched < LEFT_ALONE:
                    await self._take()
                else:
                    await self._let_go(None)
            await self.look()
        if self.holder != holder:
            await self._changed(True)
        elif self.others != before:
            await self._changed(False)
