"""Connecting a node with another, one that is there or a new one, with what it changes shown first."""

from __future__ import annotations

from dataclasses import dataclass

from anomalyos.accounts.tables import Role
from anomalyos.core.errors import AnomalyOSError
from anomalyos.knowledge.edits import SMALL_PRIOR
from anomalyos.knowledge.grammar import ENDS, check_weight
from anomalyos.knowledge.tables import Relation
from console.components.visitor import reauthorize
from console.pages.knowledge import form, labels, likelihoods
from console.pages.knowledge.room import Reload, Room
from console.security.person import Person
from console.services.blocking import run_blocking
from console.services.knowledge_editor import Saved, shares
from console.services.knowledge_views import NodePage
from console.ui.kit import Text, box


@dataclass(frozen=True)
class Way:
    """One relation as the node at one of its ends sees it."""

    relation: str
    outgoing: bool

    @property
    def kind(self) -> str:
        """Of the node at the other end."""
        source, target = ENDS[self.relation]
        return str(target if self.outgoing else source)

    @property
    def words(self) -> str:
        said = labels.SAYS if self.outgoing else labels.SAYS_BACK
        return f"{said[self.relation]} ({labels.kind_label(self.kind).word.lower()})"

    def ends(self, key: str, other: str) -> tuple[str, str, str]:
        return (key, self.relation, other) if self.outgoing else (other, self.relation, key)


def ways_of(kind: str) -> dict[str, Way]:
    """The relations a node of this kind can have, by a name for the choice.

    A product's defect types are added as new ones: a defect type has one product for good.
    """
    ways = [Way(str(relation), True) for relation, (source, _) in ENDS.items() if source == kind]
    ways += [Way(str(relation), False) for relation, (_, target) in ENDS.items() if target == kind]
    return {f"{way.relation}/{way.outgoing}": way for way in ways if way.relation != Relation.HAS_DEFECT}


async def open_dialog(room: Room, page: NodePage, reload: Reload) -> None:
    if await reauthorize(room.services, room.frame, Role.ENGINEER) is None:
        return
    ways = ways_of(page.entry.kind)
    if not ways:
        room.frame.toast("New defect types of a product are added on the search page.", icon_name="info")
        return
    await Connecting(room, page, reload, ways).open()


class Connecting:
    """One window: which relation, to what, and for a cause how much it weighs."""

    def __init__(self, room: Room, page: NodePage, reload: Reload, ways: dict[str, Way]) -> None:
        self._room = room
        self._page = page
        self._reload = reload
        self._ways = ways
        self._choices: dict[str, str] = {}
        self._defects: dict[str, NodePage] = {}

    async def open(self) -> None:
        first = next(iter(self._ways))
        self._choices = await self._others(self._ways[first])
        with self._room.frame.dialog(f"Connect {self._page.entry.name}", wide=True) as window:
            self._window = window
            with box("aos-kb-form"):
                options = {name: f"{self._page.entry.name} {way.words}" for name, way in self._ways.items()}
                self._way = form.choice_field("Relation", options, first, self._turned)
                self._other = form.choice_field("With", self._choices, None, self._preview, typed=True)
                with box() as self._weight_row:
                    self._weight = form.text_field(
                        "Weight",
                        f"{SMALL_PRIOR:g}",
                        self._preview,
                        limit=8,
                        tip="The cases it counts for before any is established.",
                    )
                self._reason = form.reason_field()
            self._complaint = form.Complaint()
            self._change = box().mark("preview")
            self._save = form.actions(window, "Connect", self._saved)
            await self._preview()

    @property
    def _chosen(self) -> Way:
        return self._ways[str(self._way.value)]

    async def _turned(self) -> None:
        self._choices = await self._others(self._chosen)
        self._other.set_options(self._choices, value=None)
        await self._preview()

    async def _others(self, way: Way) -> dict[str, str]:
        """What is not connected this way yet."""
        known = {
            join.other.key
            for join in self._page.joins
            if join.relation == way.relation and join.outgoing == way.outgoing and not join.removed
        }
        found = await run_blocking(self._room.knowledge.choices, way.kind)
        return {key: name for key, name in found.items() if key not in known and key != self._page.entry.key}

    async def _preview(self) -> None:
        way, other = self._chosen, self._other.value
        weighs = way.relation == Relation.CAUSED_BY
        self._weight_row.set_visibility(weighs)
        self._change.clear()
        form.enable(self._save, bool(other))
        if not other:
            return
        source, relation, target = way.ends(self._page.entry.key, str(other))
        names = {self._page.entry.key: self._page.entry.name, str(other): self._choices[str(other)]}
        defect = await self._defect(source) if weighs else None
        self._change.clear()
        with self._change:
            Text(f"{names[source]} {labels.SAYS[relation]} {names[target]}.", "p", "aos-kb-says")
            if defect is not None:
                self._draw_likelihoods(defect, target, names[target])

    async def _defect(self, key: str) -> NodePage:
        if key == self._page.entry.key:
            return self._page
        if key not in self._defects:
            self._defects[key] = await run_blocking(self._room.knowledge.node, key)
        return self._defects[key]

    def _draw_likelihoods(self, defect: NodePage, cause: str, name: str) -> None:
        try:
            weight = self._read_weight()
        except AnomalyOSError as error:
            self._complaint.say(error)
            form.enable(self._save, False)
            return
        self._complaint.clear()
        joins = [j for j in defect.joins if j.relation == Relation.CAUSED_BY and not (j.removed or j.lost)]
        now = {join.other.key: join.weight for join in joins}
        confirmed = {one.key: one.confirmed for one in defect.causes}
        names = {join.other.key: join.other.name for join in joins} | {cause: name}
        likelihoods.draw_change(names, shares(now, confirmed), shares(now | {cause: weight}, confirmed))

    def _read_weight(self) -> float:
        try:
            return check_weight(float(str(self._weight.value or "").replace(",", ".")))
        except ValueError as error:
            raise AnomalyOSError("The weight is not a number.", "Write it like 1.5.") from error

    async def _saved(self) -> None:
        other, way = self._other.value, self._chosen
        if not other:
            self._complaint.say("Choose what to connect it with.", icon_name="info")
            return
        try:
            weight = self._read_weight() if way.relation == Relation.CAUSED_BY else 1.0
        except AnomalyOSError as error:
            self._complaint.say(error)
            return
        ends = way.ends(self._page.entry.key, str(other))

        def work(who: Person) -> Saved:
            reason = str(self._reason.value or "")
            return self._room.editor.add_edge(who, *ends, weight=weight, reason=reason)

        if await self._room.attempt(Role.ENGINEER, work, self._reload):
            self._window.close()
