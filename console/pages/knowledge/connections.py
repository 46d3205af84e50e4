"""Connecting entries, taking an entry or a connection out, and bringing it back."""

from __future__ import annotations

from dataclasses import dataclass

from anomalyos.accounts.tables import Role
from anomalyos.core.errors import AnomalyOSError, NotFound
from anomalyos.knowledge.edits import SMALL_PRIOR
from anomalyos.knowledge.grammar import ENDS, check_weight
from anomalyos.knowledge.tables import Relation
from console.components.visitor import reauthorize
from console.pages.knowledge import labels, likelihoods
from console.pages.knowledge.context import (
    Complaint,
    PageContext,
    Reload,
    actions,
    choice_field,
    enable,
    reason_field,
    text_field,
)
from console.security.person import Person
from console.services.blocking import run_blocking
from console.services.knowledge_editor import Saved, shares
from console.services.knowledge_views import Edge, NodePage
from console.texts import wording
from console.ui import kit
from console.ui.kit import Text, box


@dataclass(frozen=True)
class RelationOption:
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


def relation_options(kind: str) -> dict[str, RelationOption]:
    """The relations a node of this kind can have, by a name for the choice.

    A product's defect types are added as new ones: a defect type has one product for good.
    """
    ways = [RelationOption(str(relation), True) for relation, (source, _) in ENDS.items() if source == kind]
    ways += [RelationOption(str(relation), False) for relation, (_, target) in ENDS.items() if target == kind]
    return {f"{way.relation}/{way.outgoing}": way for way in ways if way.relation != Relation.HAS_DEFECT}


async def open_connecting(context: PageContext, page: NodePage, reload: Reload) -> None:
    if await reauthorize(context.services, context.frame, Role.ENGINEER) is None:
        return
    ways = relation_options(page.entry.kind)
    if not ways:
        context.frame.toast("New defect types of a product are added on the search page.", icon_name="info")
        return
    await Connecting(context, page, reload, ways).open()


class Connecting:
    """One window: which relation, to what, and for a cause how much it weighs."""

    def __init__(
        self, context: PageContext, page: NodePage, reload: Reload, ways: dict[str, RelationOption]
    ) -> None:
        self._context = context
        self._page = page
        self._reload = reload
        self._ways = ways
        self._choices: dict[str, str] = {}
        self._defects: dict[str, NodePage] = {}

    async def open(self) -> None:
        first = next(iter(self._ways))
        self._choices = await self._others(self._ways[first])
        with self._context.frame.dialog(f"Connect {self._page.entry.name}", wide=True) as window:
            self._window = window
            with box("aos-kb-form"):
                options = {name: f"{self._page.entry.name} {way.words}" for name, way in self._ways.items()}
                self._way = choice_field("Relation", options, first, self._turned)
                self._other = choice_field("With", self._choices, None, self._preview, typed=True)
                with box() as self._weight_row:
                    self._weight = text_field(
                        "Weight",
                        f"{SMALL_PRIOR:g}",
                        self._preview,
                        limit=8,
                        tip="The cases it counts for before any is established.",
                    )
                self._reason = reason_field()
            self._complaint = Complaint()
            self._change = box().mark("preview")
            self._save = actions(window, "Connect", self._saved)
            await self._preview()

    @property
    def _chosen(self) -> RelationOption:
        return self._ways[str(self._way.value)]

    async def _turned(self) -> None:
        self._choices = await self._others(self._chosen)
        self._other.set_options(self._choices, value=None)
        await self._preview()

    async def _others(self, way: RelationOption) -> dict[str, str]:
        """What is not connected this way yet."""
        known = {
            join.other.key
            for join in self._page.joins
            if join.relation == way.relation and join.outgoing == way.outgoing and not join.removed
        }
        found = await run_blocking(self._context.knowledge.choices, way.kind)
        return {key: name for key, name in found.items() if key not in known and key != self._page.entry.key}

    async def _preview(self) -> None:
        way, other = self._chosen, self._other.value
        weighs = way.relation == Relation.CAUSED_BY
        self._weight_row.set_visibility(weighs)
        self._change.clear()
        enable(self._save, bool(other))
        if not other:
            return
        source, relation, target = way.ends(self._page.entry.key, str(other))
        names = {self._page.entry.key: self._page.entry.name, str(other): self._choices[str(other)]}
        defect = await self._defect(source) if weighs else None
        with kit.redrawn(self._change):
            Text(f"{names[source]} {labels.SAYS[relation]} {names[target]}.", "p", "aos-kb-says")
            if defect is not None:
                self._draw_likelihoods(defect, target, names[target])

    async def _defect(self, key: str) -> NodePage:
        if key == self._page.entry.key:
            return self._page
        if key not in self._defects:
            self._defects[key] = await run_blocking(self._context.knowledge.node, key)
        return self._defects[key]

    def _draw_likelihoods(self, defect: NodePage, cause: str, name: str) -> None:
        try:
            weight = self._read_weight()
        except AnomalyOSError as error:
            self._complaint.say(error)
            enable(self._save, False)
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
            return self._context.editor.add_edge(who, *ends, weight=weight, reason=reason)

        if await self._context.attempt(Role.ENGINEER, work, self._reload):
            self._window.close()


async def of_node(context: PageContext, page: NodePage, reload: Reload) -> None:
    """Ask for a reason and say what goes with it."""
    if await reauthorize(context.services, context.frame, Role.ENGINEER) is None:
        return
    standing = sum(not (join.removed or join.lost) for join in page.joins)
    text = (
        f"{page.entry.name} leaves the search, the map and every likelihood, and so "
        f"{'does' if standing == 1 else 'do'} {wording.plural(standing, 'connection')}. "
        "It can be brought back at any time."
    )
    subject = f"node:{page.entry.key}"
    await _ask_removal(context, f"Remove {page.entry.name}", text, subject, page.version, reload)


async def of_join(context: PageContext, key: str, join: Edge, reload: Reload) -> None:
    """As ``of_node``; for a cause it shows what becomes of the likelihoods."""
    if await reauthorize(context.services, context.frame, Role.ENGINEER) is None:
        return
    source, target = (key, join.other.key) if join.outgoing else (join.other.key, key)
    names = {
        k: entry.name
        for k, entry in (await run_blocking(context.knowledge.entries, [source, target])).items()
    }
    sentence = f"{names.get(source, source)} {labels.SAYS[join.relation]} {names.get(target, target)}"
    text = f"“{sentence}” will no longer hold."
    defect = (
        await run_blocking(context.knowledge.node, source) if join.relation == Relation.CAUSED_BY else None
    )
    await _ask_removal(
        context, "Remove the connection", text, join.subject, join.version, reload, defect, target
    )


async def _ask_removal(
    context: PageContext,
    title: str,
    text: str,
    subject: str,
    version: int,
    reload: Reload,
    defect: NodePage | None = None,
    cause: str = "",
) -> None:
    async def remove() -> None:
        done = await context.attempt(
            Role.ENGINEER,
            lambda who: context.editor.remove(
                who, subject, expected_version=version, reason=str(reason.value or "")
            ),
            reload,
        )
        if done:
            window.close()

    with context.frame.dialog(title, wide=defect is not None) as window:
        Text(text, "p")
        if defect is not None:
            _draw_without(defect, cause)
        reason = reason_field()
        actions(window, "Remove", remove, danger=True)


def _draw_without(defect: NodePage, cause: str) -> None:
    joins = [j for j in defect.joins if j.relation == Relation.CAUSED_BY and not (j.removed or j.lost)]
    weights = {join.other.key: join.weight for join in joins}
    confirmed = {one.key: one.confirmed for one in defect.causes}
    rest = {key: weight for key, weight in weights.items() if key != cause}
    names = {join.other.key: join.other.name for join in joins}
    with box().mark("preview"):
        likelihoods.draw_change(names, shares(weights, confirmed), shares(rest, confirmed))


async def bring_back(context: PageContext, subject: str, reload: Reload) -> None:
    """As it was before it was removed."""
    revisions = await run_blocking(context.knowledge.history, subject)
    stood = next((r for r in revisions if r.after is not None and not r.after.get("removed")), None)

    def work(who: Person) -> Saved:
        if stood is None:
            raise NotFound("It never was in the knowledge base.")
        return context.editor.revert(
            who, subject, stood.version, expected_version=revisions[0].version, reason="brought back"
        )

    await context.attempt(Role.ENGINEER, work, reload)
