"""The page of one product, defect type, sign, cause, step, remedy or check."""

from __future__ import annotations

from collections import defaultdict
from functools import partial

from nicegui import ui

from anomalyos.accounts.tables import Role
from anomalyos.core.errors import NotFound
from anomalyos.knowledge.revision_lists import SEED_ACTOR
from anomalyos.knowledge.tables import KnowledgeRevision, NodeKind, Relation
from console.pages.knowledge import connections, history, labels, likelihoods, node_forms, results
from console.pages.knowledge.context import PageContext
from console.services.blocking import run_blocking
from console.services.knowledge_views import Edge, NodePage
from console.texts import links, wording
from console.ui import kit
from console.ui.kit import Text, box


class NodeView:
    """Draws a node and redraws it after every change."""

    def __init__(self, context: PageContext, key: str) -> None:
        self._context = context
        self._key = key
        self._place = box("aos-kb-page")

    async def reload(self) -> None:
        """Show the node as it is now."""
        try:
            page = await run_blocking(self._context.knowledge.node, self._key)
        except NotFound:
            with kit.redrawn(self._place):
                _draw_unknown(self._key)
            return
        keys = [key for revision in page.history for key in history.keys_of(revision.subject)]
        names = {
            key: entry.name
            for key, entry in (await run_blocking(self._context.knowledge.entries, keys)).items()
        }
        names[page.entry.key] = page.entry.name
        with kit.redrawn(self._place):
            self._draw(page, names)

    # drawing -------------------------------------------------------------------------------------

    def _draw(self, page: NodePage, names: dict[str, str]) -> None:
        self._draw_top(page)
        with box("aos-kb-cols"):
            with box("aos-kb-main"):
                self._draw_pictures(page)
                self._draw_likelihoods(page)
                if page.entry.kind == NodeKind.CATEGORY:
                    _draw_defects(page)
            with box("aos-kb-side"):
                self._draw_joins(page)
                self._draw_history(page, names)

    def _draw_top(self, page: NodePage) -> None:
        entry = page.entry
        with box("aos-kb-top"):
            with box("aos-kb-crumbs"):
                labels.kind_mark(entry.kind)
                if entry.owner:
                    category = f"category:{entry.key.partition(':')[2].partition('/')[0]}"
                    kit.link(entry.owner, links.node_page(category), "aos-kb-link")
                if entry.severity in labels.SEVERITIES:
                    kit.badge(labels.severity_label(entry.severity))
                if entry.synthetic:
                    kit.synthetic_badge()
            Text(entry.name, "h1", "aos-title").mark("node-name")
            if entry.text:
                Text(entry.text, "p", "aos-kb-lead").mark("node-text")
            facts = labels.facts_of(page.attributes)
            if facts:
                kit.facts(facts, "aos-facts aos-kb-facts")
            if page.removed:
                self._draw_removed(page)
            else:
                self._draw_tools(page)

    def _draw_tools(self, page: NodePage) -> None:
        with box("aos-kb-row"):
            kit.link("Show on the map", labels.graph_address(self._key), "aos-button small", "account_tree")
            if not self._context.person.may(Role.ENGINEER):
                return
            kit.button(
                "Edit",
                lambda: node_forms.open_editing(self._context, page, self.reload),
                icon_name="edit",
                classes="small",
            ).mark("edit")
            if connections.relation_options(page.entry.kind):
                kit.button(
                    "Connect",
                    lambda: connections.open_connecting(self._context, page, self.reload),
                    icon_name="add_link",
                    classes="small",
                ).mark("connect")
            kit.button(
                "Remove",
                lambda: connections.of_node(self._context, page, self.reload),
                icon_name="delete",
                classes="small quiet",
            ).mark("remove")

    def _draw_removed(self, page: NodePage) -> None:
        kit.notice("This is removed: it counts nowhere and no search finds it.", "rejected", "delete")
        if self._context.person.may(Role.ENGINEER):
            with box("aos-kb-row"):
                kit.button(
                    "Bring it back",
                    lambda: connections.bring_back(self._context, f"node:{self._key}", self.reload),
                    icon_name="restore_from_trash",
                    classes="small",
                ).mark("bring-back")

    def _draw_likelihoods(self, page: NodePage) -> None:
        if page.entry.kind == NodeKind.DEFECT:
            with box("aos-kb-section"):
                with box("aos-kb-section-head"):
                    Text("What causes it", "h2")
                    if self._context.person.may(Role.ENGINEER) and page.causes and not page.removed:
                        kit.button(
                            "Weigh",
                            lambda: likelihoods.open_weighing(self._context, page, self.reload),
                            icon_name="balance",
                            classes="small",
                        ).mark("weigh")
                if page.causes:
                    likelihoods.draw_causes(page.causes)
                else:
                    Text("No cause is listed yet.", "p", "aos-muted")
        elif page.entry.kind == NodeKind.CAUSE and page.shares:
            with kit.section("aos-kb-section", "How likely it is, by defect type"):
                likelihoods.draw_shares(page.shares)

    def _draw_pictures(self, page: NodePage) -> None:
        if page.entry.kind not in (NodeKind.DEFECT, NodeKind.CATEGORY, NodeKind.CAUSE):
            return
        with box("aos-kb-section"):
            with box("aos-kb-section-head"):
                Text(_cases_title(page), "h2")
                if page.case_count > len(page.cases):
                    category = page.entry.key.partition(":")[2].partition("/")[0]
                    kit.link(
                        "All of this product", f"/knowledge?kind=case&category={category}", "aos-kb-link"
                    )
            if not page.cases:
                cause = page.entry.kind == NodeKind.CAUSE
                told = (
                    "No case was put down to it." if cause else "Defects that a review confirms appear here."
                )
                Text(told, "p", "aos-muted")
                return
            with box("aos-kb-pictures"):
                for case in page.cases:
                    assert case.id is not None
                    with box("aos-kb-picture", "a", href=links.case_page(case.id)):
                        results.thumbnail(case.id, classes="")
                        Text(labels.defect_words(case.defect_type), classes="name")
                        Text(f"Case {case.id}" + (" · synthetic" if case.synthetic else ""), classes="sub")

    def _draw_joins(self, page: NodePage) -> None:
        groups: dict[tuple[bool, str], list[Edge]] = defaultdict(list)
        for join in page.joins:
            listed = page.entry.kind == NodeKind.CATEGORY and join.relation == Relation.HAS_DEFECT
            if not (join.removed or join.lost or listed):
                groups[join.outgoing, join.relation].append(join)
        for outgoing, words in ((False, labels.COMES_FROM), (True, labels.LEADS_TO)):
            for relation, title in words.items():
                if groups[outgoing, relation]:
                    with kit.section("aos-kb-section", title):
                        self._draw_group(groups[outgoing, relation])
        gone = [join for join in page.joins if join.removed and not join.lost]
        if gone and self._context.person.may(Role.ENGINEER):
            with kit.section("aos-kb-section", "Removed connections"):
                self._draw_group(gone)

    def _draw_group(self, joins: list[Edge]) -> None:
        shown, rest = joins[:12], joins[12:]
        with box("aos-kb-joins", "ul"):
            for join in shown:
                self._draw_join(join)
        if rest:
            with box("aos-kb-more", "details"):
                Text(f"{len(rest)} more", "summary")
                with box("aos-kb-joins", "ul"):
                    for join in rest:
                        self._draw_join(join)

    def _draw_join(self, join: Edge) -> None:
        with box("aos-kb-join", "li"):
            label = labels.kind_label(join.other.kind)
            with box(f"tone-{label.tone} icon", "span"):
                kit.icon(label.icon)
            owner = f" · {join.other.owner}" if join.other.owner else ""
            kit.link(f"{join.other.name}{owner}", links.node_page(join.other.key), "aos-kb-link")
            if join.relation == Relation.CAUSED_BY:
                with Text(f"{join.weight:g}", classes="aos-kb-weight"):
                    ui.tooltip("Weight: the cases this counts for before any is established")
            if self._context.person.may(Role.ENGINEER):
                self._draw_join_tool(join)

    def _draw_join_tool(self, join: Edge) -> None:
        if join.removed:
            kit.button(
                "",
                lambda: connections.bring_back(self._context, join.subject, self.reload),
                icon_name="restore_from_trash",
                classes="small quiet",
                tip=f"Bring back the connection to {join.other.name}",
            )
        else:
            kit.button(
                "",
                lambda: connections.of_join(self._context, self._key, join, self.reload),
                icon_name="link_off",
                classes="small quiet",
                tip=f"Remove the connection to {join.other.name}",
            )

    def _draw_history(self, page: NodePage, names: dict[str, str]) -> None:
        newest = {f"node:{self._key}": page.version}
        newest |= {join.subject: join.version for join in page.joins}

        async def revert(revision: KnowledgeRevision) -> None:
            expected = newest[revision.subject]
            await self._context.attempt(
                Role.ENGINEER,
                lambda who: self._context.editor.revert(
                    who, revision.subject, revision.version, expected_version=expected
                ),
                self.reload,
            )

        own = f"node:{self._key}"
        shown = [row for row in page.history if row.subject == own or row.actor != SEED_ACTOR]
        seeded = [row for row in page.history if row not in shown]
        back = revert if self._context.person.may(Role.ENGINEER) else None
        with kit.section("aos-kb-section", "History"):
            history.draw(shown, names, revert=back, newest=newest)
            if seeded:
                with box("aos-kb-more", "details"):
                    Text(f"{wording.plural(len(seeded), 'connection')} that came with the project", "summary")
                    history.draw(seeded, names, revert=back, newest=newest)


def _cases_title(page: NodePage) -> str:
    if page.entry.kind == NodeKind.CAUSE:
        return f"Established in {wording.plural(page.established, 'case')}"
    established = f", {page.established:,} with an established cause" if page.established else ""
    return f"{wording.plural(page.case_count, 'case')}{established}"


def _draw_defects(page: NodePage) -> None:
    with kit.section("aos-kb-section", "Defect types"), box("aos-kb-grid"):
        for join in page.joins:
            if join.relation == Relation.HAS_DEFECT and not join.removed:
                with box("aos-kb-product", "a", href=links.node_page(join.other.key)):
                    with box("aos-kb-product-name"):
                        Text(join.other.name)
                        kit.badge(labels.severity_label(join.other.severity))
                    number = page.defect_cases.get(join.other.key, 0)
                    Text(wording.plural(number, "case"), classes="aos-muted aos-small")


def _draw_unknown(key: str) -> None:
    kit.empty_state(
        "search_off",
        "The knowledge base has no such entry",
        f"Nothing has the key {key}.",
        actions=partial(kit.link, "To the search", "/knowledge", "aos-button primary"),
    )
