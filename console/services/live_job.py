"""One uploaded image on its way through the stages, whatever page shows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from anomalyos.db.columns import utc_now
from console.security.person import Person
from console.services.views import Card


class UploadedFile(Protocol):
    """A file that has arrived, in memory or on the server's disk."""

    @property
    def name(self) -> str: ...

    async def read(self) -> bytes: ...


class State(StrEnum):
    """Where an upload is. FAILED is no verdict: nothing was kept, so it can be sent again."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(eq=False)
class LiveJob:
    """``report`` is called by the inspecting thread; everything else on the event loop."""

    name: str
    person: Person
    file: UploadedFile | None = None
    """Read when its turn comes: a hundred photos that wait do not have to lie in memory."""
    category: str | None = None
    state: State = State.WAITING
    stage: str = ""
    share: float = 0.0
    card: Card | None = None
    repeated: bool = False
    """Whether this very file had been inspected today already."""
    reason: str = ""
    next_step: str = ""
    since: datetime = field(default_factory=utc_now)

    def report(self, stage: str, share: float) -> None:
        """Note the stage that begins and the share of the work that is done, 0 to 1."""
        self.stage, self.share = stage, share

    def fail(self, reason: str, next_step: str = "") -> None:
        self.state, self.reason, self.next_step = State.FAILED, reason, next_step
        self.file = None
