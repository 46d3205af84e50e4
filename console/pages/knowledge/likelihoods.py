"""How likely causes are, and weighing them: a bar for the probability, a line for its interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from nicegui import ui

from anomalyos.accounts.tables import Role
from anomalyos.core.errors import AnomalyOSError, Conflict
from anomalyos.knowledge.causes import KnowledgeItem, RankedCause
from anomalyos.knowledge.grammar import MAX_WEIGHT, check_weight
from anomalyos.knowledge.tables import Relation
from console.components.visitor import reauthorize
from console.pages.knowledge import labels
from console.pages.knowledge.context import Complaint, PageContext, Reload, actions, enable, reason_field
from console.services.blocking import run_blocking
from console.services.knowledge_editor import Weight, shares
from console.services.knowledge_views import DefectShare, NodePage
from console.texts import links, wording
from console.ui import kit
from console.ui.kit import Text, box


def draw_causes(
    causes: Sequence[RankedCause], *, tools: Callable[[RankedCause], None] | None = None, chosen: str = ""
) -> None:
    """Ranked causes, likeliest first.

    Args:
        tools: draws what can be done with one of them.
        chosen: key of the cause that is established.
    """
    with box("aos-kb-causes", "ol"):
        for cause in causes:
            with box("aos-kb-cause" + (" chosen" if cause.key == chosen else ""), "li"):
                with box("aos-kb-cause-top"):
                    kit.link(cause.name, links.node_page(cause.key), "aos-kb-link strong")
                    if cause.key == chosen:
                        kit.badge(wording.Label("Established", "verified", "normal"))
                    box("space")
                    if tools is not None:
                        tools(cause)
                draw_bar(cause.probability, cause.low, cause.high)
                Text(cause_sentence(cause), "p", "aos-small aos-muted")
                _items("build", "Helps", cause.remedies)
                _items("fact_check", "Check", cause.checks)


def cause_sentence(cause: RankedCause) -> str:
    """What the probability rests on."""
    established = (
        f"established in {cause.confirmed:,} of {wording.plural(cause.confirmed_all, 'case')}"
        if cause.confirmed_all
        else "no case established yet"
    )
    before = f"; {labels.percent(cause.prior)} before any case" if cause.confirmed_all else ""
    return (
        f"Between {labels.percent(cause.low)} and {labels.percent(cause.high)} (90 % interval), "
        f"{established}{before}."
    )


def draw_bar(probability: float, low: float | None = None, high: float | None = None) -> None:
    with box("aos-kb-bar-row"):
        with box("aos-kb-bar").props("aria-hidden=true"):
            box("fill").style(f"width: {100 * probability:.2f}%")
            if low is not None and high is not None:
                box("range").style(f"left: {100 * low:.2f}%; width: {100 * (high - low):.2f}%")
        Text(labels.percent(probability), "b", "aos-kb-share")


def draw_shares(shares: Sequence[DefectShare]) -> None:
    """One cause under each defect type that lists it."""
    with box("aos-kb-causes", "ol"):
        for share in shares:
            with box("aos-kb-cause", "li"):
                with box("aos-kb-cause-top"):
                    owner = f" · {share.defect.owner}" if share.defect.owner else ""
                    address = links.node_page(share.defect.key)
                    kit.link(f"{share.defect.name}{owner}", address, "aos-kb-link strong")
                    if share.defect.synthetic:
                        kit.synthetic_badge()
                draw_bar(share.probability)
                Text(share_sentence(share), "p", "aos-small aos-muted")


def share_sentence(share: DefectShare) -> str:
    if not share.established:
        return "No case established yet."
    cases = wording.plural(share.established, "case")
    return f"Established in {share.confirmed:,} of {cases}; {labels.percent(share.prior)} before any case."


def draw_change(names: Mapping[str, str], before: Mapping[str, float], after: Mapping[str, float]) -> None:
    """Likelihoods before and after a change that is not saved yet, side by side."""
    with box("aos-kb-compare"):
        Text("Cause", classes="aos-label")
        Text("Now", classes="aos-label")
        Text("After the change", classes="aos-label")
        order = sorted(names, key=lambda key: -max(before.get(key, 0.0), after.get(key, 0.0)))
        for key in order:
            Text(names[key], classes="name")
            _one(before.get(key))
            _one(after.get(key), moved=_moved(before.get(key), after.get(key)))


def _one(share: float | None, *, moved: str = "") -> None:
    with box("aos-kb-compared"):
        if share is None:
            Text("not listed", classes="aos-small aos-muted")
        else:
            draw_bar(share)
        if moved:
            kit.icon(moved, "moved")


def _moved(before: float | None, after: float | None) -> str:
    if before is None or after is None or abs(after - before) < 0.005:
        return ""
    return "trending_up" if after > before else "trending_down"


def _items(icon_name: str, word: str, items: Sequence[KnowledgeItem]) -> None:
    if not items:
        return
    with box("aos-kb-items"):
        kit.icon(icon_name)
        Text(f"{word}:", classes="aos-muted")
        for item in items:
            kit.link(item.name, links.node_page(item.key), "aos-kb-link")


async def open_weighing(context: PageContext, page: NodePage, reload: Reload) -> None:
    if await reauthorize(context.services, context.frame, Role.ENGINEER) is not None:
        Weighing(context, page, reload).open()


class Weighing:
    """One window with a number for each cause."""

    def __init__(self, context: PageContext, page: NodePage, reload: Reload) -> None:
        self._context = context
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
        with self._context.frame.dialog(f"Weigh the causes of {name}", wide=True) as window:
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
            self._reason = reason_field()
            self._complaint = Complaint()
            self._change = box().mark("preview")
            self._save = actions(window, "Save", self._saved)
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
            enable(self._save, False)
            return
        self._complaint.clear()
        with self._change:
            draw_change(self._names, shares(self._now, self._confirmed), shares(wanted, self._confirmed))
        enable(self._save, wanted != self._now)

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
        done = await self._context.attempt(
            Role.ENGINEER,
            lambda who: self._context.editor.weigh(
                who, self._page.entry.key, changed, reason=str(self._reason.value or "")
            ),
            self._reload,
            conflict=self._overtaken,
        )
        if done:
            self._window.close()

    async def _overtaken(self, error: Conflict) -> None:
        try:
            self._take(await run_blocking(self._context.knowledge.node, self._page.entry.key))
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
