"""Weighing the causes of a defect type: the numbers, and what they make of the likelihoods, before saving."""

from __future__ import annotations

from nicegui import ui

from anomalyos.accounts.tables import Role
from anomalyos.core.errors import AnomalyOSError, Conflict
from anomalyos.knowledge.grammar import MAX_WEIGHT, check_weight
from anomalyos.knowledge.tables import Relation
from console.components.visitor import reauthorize
from console.pages.knowledge import form, likelihoods
from console.pages.knowledge.room import Reload, Room
from console.services.blocking import run_blocking
from console.services.knowledge_editor import Weight, shares
from console.services.knowledge_views import NodePage
from console.ui.kit import Text, box


async def open_dialog(room: Room, page: NodePage, reload: Reload) -> None:
    if await reauthorize(room.services, room.frame, Role.ENGINEER) is not None:
        Weighing(room, page, reload).open()


class Weighing:
    """One window with a number for each cause."""

    def __init__(self, room: Room, page: NodePage, reload: Reload) -> None:
        self._room = room
        self._reload = reload
        self._fields: dict[str, ui.number] = {}
        self._take(page)

    def _take(self, page: NodePage) -> None:
        self._page = page
        joins = [
            join
            for join in page.joins
            if join.relation == Relation.CAUSED_BY and not (join.removed or join.lost)
        ]
        self._now = {join.other.key: join.weight for join in joins}
        self._versions = {join.other.key: join.version for join in joins}
        self._names = {join.other.key: join.other.name for join in joins}
        self._confirmed = {cause.key: cause.confirmed for cause in page.causes}

    def open(self) -> None:
        name = self._page.entry.name
        with self._room.frame.dialog(f"Weigh the causes of {name}", wide=True) as window:
            self._window = window
            Text(
                "A weight says how many cases a cause counts for before any is established: 2 means as if "
                "two cases had shown it. Established cases are added to it.",
                "p",
                "aos-small aos-muted",
            )
            with box("aos-kb-weights"):
                for key, weight in self._now.items():
                    Text(self._names[key])
                    field = ui.number(
                        value=weight, min=0.01, max=MAX_WEIGHT, step=0.1, on_change=self._preview
                    )
                    field.props(f"outlined dense debounce=200 aria-label='Weight {len(self._fields) + 1}'")
                    field.props["aria-label"] = f"Weight of {self._names[key]}"
                    field.mark(f"weight-{key}")
                    self._fields[key] = field
            self._reason = form.reason_field()
            self._complaint = form.Complaint()
            self._change = box().mark("preview")
            self._save = form.actions(window, "Save", self._saved)
            self._preview()

    def _wanted(self) -> dict[str, float]:
        """Raises AnomalyOSError for a number that cannot be a weight."""
        return {
            key: check_weight(float(field.value if field.value is not None else 0))
            for key, field in self._fields.items()
            if key in self._now
        }

    def _preview(self) -> None:
        self._change.clear()
        try:
            wanted = self._wanted()
        except AnomalyOSError as error:
            self._complaint.say(error)
            form.enable(self._save, False)
            return
        self._complaint.clear()
        with self._change:
            likelihoods.draw_change(
                self._names, shares(self._now, self._confirmed), shares(wanted, self._confirmed)
            )
        form.enable(self._save, wanted != self._now)

    async def _saved(self) -> None:
        try:
            wanted = self._wanted()
        except AnomalyOSError as error:
            self._complaint.say(error)
            return
        changed = [
            Weight(key, weight, self._versions[key])
            for key, weight in wanted.items()
            if weight != self._now[key]
        ]
        if not changed:
            self._complaint.say("No weight is changed yet.", icon_name="info")
            return
        done = await self._room.attempt(
            Role.ENGINEER,
            lambda who: self._room.editor.weigh(
                who, self._page.entry.key, changed, reason=str(self._reason.value or "")
            ),
            self._reload,
            conflict=self._overtaken,
        )
        if done:
            self._window.close()

    async def _overtaken(self, error: Conflict) -> None:
        try:
            self._take(await run_blocking(self._room.knowledge.node, self._page.entry.key))
        except AnomalyOSError as gone:
            self._complaint.say(gone)
            return
        self._preview()
        told = "; ".join(f"{self._names[key]} {weight:g}" for key, weight in self._now.items())
        self._complaint.say(
            f"Somebody weighed these causes in the meantime. They are now: {told}. "
            "Save again to put your weights in their place.",
            icon_name="sync_problem",
        )
