"""Taking a node or a connection out, and bringing it back; both stay in the history."""

from __future__ import annotations

from anomalyos.accounts.tables import Role
from anomalyos.core.errors import NotFound
from anomalyos.knowledge.tables import Relation
from console.components.visitor import reauthorize
from console.pages.knowledge import form, labels, likelihoods
from console.pages.knowledge.room import Reload, Room
from console.security.person import Person
from console.services.blocking import run_blocking
from console.services.knowledge_editor import Saved, shares
from console.services.knowledge_views import Join, NodePage
from console.ui import wording
from console.ui.kit import Text, box


async def of_node(room: Room, page: NodePage, reload: Reload) -> None:
    """Ask for a reason and say what goes with it."""
    if await reauthorize(room.services, room.frame, Role.ENGINEER) is None:
        return
    standing = sum(not (join.removed or join.lost) for join in page.joins)
    text = (
        f"{page.entry.name} leaves the search, the map and every likelihood, and so "
        f"{'does' if standing == 1 else 'do'} {wording.plural(standing, 'connection')}. "
        "It can be brought back at any time."
    )
    subject = f"node:{page.entry.key}"
    await _ask(room, f"Remove {page.entry.name}", text, subject, page.version, reload)


async def of_join(room: Room, key: str, join: Join, reload: Reload) -> None:
    """As ``of_node``; for a cause it shows what becomes of the likelihoods."""
    if await reauthorize(room.services, room.frame, Role.ENGINEER) is None:
        return
    source, target = (key, join.other.key) if join.outgoing else (join.other.key, key)
    names = {
        k: entry.name for k, entry in (await run_blocking(room.knowledge.entries, [source, target])).items()
    }
    sentence = f"{names.get(source, source)} {labels.SAYS[join.relation]} {names.get(target, target)}"
    text = f"“{sentence}” will no longer hold."
    defect = await run_blocking(room.knowledge.node, source) if join.relation == Relation.CAUSED_BY else None
    await _ask(room, "Remove the connection", text, join.subject, join.version, reload, defect, target)


async def _ask(
    room: Room,
    title: str,
    text: str,
    subject: str,
    version: int,
    reload: Reload,
    defect: NodePage | None = None,
    cause: str = "",
) -> None:
    async def remove() -> None:
        done = await room.attempt(
            Role.ENGINEER,
            lambda who: room.editor.remove(
                who, subject, expected_version=version, reason=str(reason.value or "")
            ),
            reload,
        )
        if done:
            window.close()

    with room.frame.dialog(title, wide=defect is not None) as window:
        Text(text, "p")
        if defect is not None:
            _draw_without(defect, cause)
        reason = form.reason_field()
        form.actions(window, "Remove", remove, danger=True)


def _draw_without(defect: NodePage, cause: str) -> None:
    joins = [j for j in defect.joins if j.relation == Relation.CAUSED_BY and not (j.removed or j.lost)]
    weights = {join.other.key: join.weight for join in joins}
    confirmed = {one.key: one.confirmed for one in defect.causes}
    rest = {key: weight for key, weight in weights.items() if key != cause}
    names = {join.other.key: join.other.name for join in joins}
    with box().mark("preview"):
        likelihoods.draw_change(names, shares(weights, confirmed), shares(rest, confirmed))


async def bring_back(room: Room, subject: str, reload: Reload) -> None:
    """As it was before it was removed."""
    revisions = await run_blocking(room.knowledge.history, subject)
    stood = next((r for r in revisions if r.after is not None and not r.after.get("removed")), None)

    def work(who: Person) -> Saved:
        if stood is None:
            raise NotFound("It never was in the knowledge base.")
        return room.editor.revert(
            who, subject, stood.version, expected_version=revisions[0].version, reason="brought back"
        )

    await room.attempt(Role.ENGINEER, work, reload)
