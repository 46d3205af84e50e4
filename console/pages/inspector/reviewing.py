"""Deciding and undoing from a page, whatever page it is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from anomalyos.accounts.tables import Role
from anomalyos.core.errors import AnomalyOSError, Conflict
from anomalyos.inspection.tables import Decision
from console.components.visitor import OneAtATime
from console.container import Services
from console.security.person import Person
from console.services.blocking import run_blocking
from console.services.views import Detail
from console.texts import wording
from console.ui.theme import Frame

Reload = Callable[[int], Awaitable[None]]
Claim = Callable[[int], Awaitable[bool]]


class Reviewing:
    """The decisions made on one opened page, newest last, and how to take them back.

    Args:
        decided: called with the inspection's id after a decision was kept (the queue moves on).
        reload: called with the inspection's id when it has to be shown as it is now.
        claim: asked whether an open item may be decided here now, where several people share a queue;
            whoever answers no has told the person why.
    """

    def __init__(
        self, services: Services, frame: Frame, *, decided: Reload, reload: Reload, claim: Claim | None = None
    ) -> None:
        self.services = services
        self._frame = frame
        self._decided = decided
        self._reload = reload
        self._claim = claim
        self._made: list[tuple[int, int]] = []
        self._once = OneAtATime(services, frame, Role.REVIEWER)

    async def decide(
        self, detail: Detail, decision: Decision, *, defect_type: str = "", note: str = ""
    ) -> None:
        """Keep a decision about what is shown; a second press while the first is on its way is dropped."""
        await self._once(lambda person: self._decide(person, detail, decision, defect_type, note))

    async def undo(self, shown: Detail | None = None) -> None:
        """Take back the newest decision made on this page, or else that of the item shown."""
        await self._once(lambda person: self._undo(person, shown))

    async def _decide(
        self, person: Person, detail: Detail, decision: Decision, defect_type: str, note: str
    ) -> None:
        inspection_id = detail.card.id
        if self._claim and detail.card.decision is None and not await self._claim(inspection_id):
            return
        try:
            review = await run_blocking(
                self.services.inspections.decide,
                person,
                inspection_id,
                decision,
                expected_version=detail.card.review_version,
                defect_type=defect_type,
                note=note,
            )
        except AnomalyOSError as error:
            await self._explain(error, inspection_id)
            return
        self._made.append((inspection_id, review.version))
        label = wording.decision_label(decision)
        name = wording.product(detail.card.category)
        self._frame.toast(f"{label.word}: {name}", icon_name=label.icon, undo=self.undo)
        await self._count()
        await self._decided(inspection_id)

    async def _undo(self, person: Person, shown: Detail | None) -> None:
        if self._made:
            inspection_id, version = self._made.pop()
        elif shown is not None and shown.card.decision is not None:
            inspection_id, version = shown.card.id, shown.card.review_version
        else:
            self._frame.toast("There is nothing to undo here.", icon_name="undo")
            return
        try:
            await run_blocking(
                self.services.inspections.undo, person, inspection_id, expected_version=version
            )
        except AnomalyOSError as error:
            await self._explain(error, inspection_id)
            return
        self._frame.toast("Taken back. It waits for a decision again.", icon_name="undo")
        await self._count()
        await self._reload(inspection_id)

    async def _explain(self, error: AnomalyOSError, inspection_id: int) -> None:
        icon_name = "sync_problem" if isinstance(error, Conflict) else "error"
        self._frame.toast(str(error), icon_name=icon_name, seconds=10)
        await self._count()
        await self._reload(inspection_id)

    async def _count(self) -> None:
        self._frame.set_open(await run_blocking(self.services.inspections.open_items))
