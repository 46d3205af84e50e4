"""The map: the graph around one node, opened node by node, as a picture and as an outline beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from nicegui import ui
from nicegui.events import GenericEventArguments

from anomalyos.accounts.tables import Role
from anomalyos.knowledge.tables import NodeKind
from console.components.visitor import reauthorize
from console.pages.knowledge import labels, map_drawing
from console.pages.knowledge.context import PageContext
from console.pages.knowledge.map_drawing import Choose, draw_picture
from console.services.blocking import run_blocking
from console.services.knowledge_views import Entry
from console.texts import links, wording
from console.ui import kit
from console.ui.graph_picture import MapFilter, Picture, picture, start
from console.ui.kit import Text, box


class GraphView:
    """Holds what is shown; picture, outline and address always tell the same."""

    def __init__(self, context: PageContext, given: Mapping[str, str]) -> None:
        self._context = context
        self.wanted = map_drawing.read_address(given)
        self._given = dict(given)
        self._selected = self.wanted.focus

    async def open(self) -> None:
        graph = await run_blocking(self._context.knowledge.graph)
        if not len(graph):
            kit.empty_state(
                "account_tree",
                "There is no map yet",
                "It shows how defects, causes and remedies hang together as soon as some are known.",
                actions=partial(kit.link, "To the search", "/knowledge", "aos-button primary"),
            )
            return
        if self.wanted.focus in graph and "open" not in self._given:
            self.wanted = replace(self.wanted, opened=start(graph, self.wanted.focus))
        self._names = await run_blocking(self._context.knowledge.categories)
        self._choices = await run_blocking(self._all_choices)
        with box("aos-kb-map"):
            self._stage = box("aos-kb-stage")
            with box("aos-kb-outline-side"):
                self._draw_controls()
                self._details = box("aos-kb-details", "section").props("aria-label='Selected entry'")
                self._outline = box("aos-kb-outline", "section").props("aria-label='The same as a list'")
        ui.on("kb-address", self._moved)
        await self._show()

    def _all_choices(self) -> dict[str, str]:
        entries: dict[str, str] = {}
        for kind in NodeKind:
            word = labels.kind_label(kind).word.lower()
            entries |= {
                key: f"{name} ({word})" for key, name in self._context.knowledge.choices(kind).items()
            }
        return entries

    # changing what is shown ----------------------------------------------------------------------

    async def _go(self, wanted: MapFilter, *, selected: str = "", push: bool = True) -> None:
        if await reauthorize(self._context.services, self._context.frame, Role.VIEWER) is None:
            return
        self.wanted = wanted
        self._selected = selected or wanted.focus
        if push:
            ui.navigate.history.push(map_drawing.write_address(wanted))
        await self._show()

    async def _moved(self, event: GenericEventArguments) -> None:
        """Back or forward in the browser."""
        from urllib.parse import parse_qsl

        query = str(event.args or "").lstrip("?")[:20_000]
        self._given = dict(parse_qsl(query))
        wanted = map_drawing.read_address(self._given)
        graph = await run_blocking(self._context.knowledge.graph)
        if wanted.focus in graph and "open" not in self._given:
            wanted = replace(wanted, opened=start(graph, wanted.focus))
        await self._go(wanted, push=False)

    async def toggle(self, key: str) -> None:
        """Open or close a node; the focus stays open."""
        drawn = self._picture.nodes.get(key)
        if drawn is None:
            return
        if key == self.wanted.focus or (not drawn.opened and not drawn.hidden):
            self._selected = key
            await self._show()
            return
        await self._go(map_drawing.toggled(self.wanted, key, opened=not drawn.opened), selected=key)

    async def more(self, key: str) -> None:
        await self._go(map_drawing.more_of(self.wanted, key), selected=key)

    async def focus(self, key: str) -> None:
        graph = await run_blocking(self._context.knowledge.graph)
        await self._go(replace(self.wanted, focus=key, opened=start(graph, key), more={}), selected=key)

    # drawing -------------------------------------------------------------------------------------

    async def _show(self) -> None:
        graph = await run_blocking(self._context.knowledge.graph)
        self._picture = await run_blocking(picture, graph, self.wanted)
        entries = await run_blocking(self._context.knowledge.entries, list(self._picture.nodes))
        self._lost = bool(self.wanted.focus) and self.wanted.focus not in graph
        if self._lost:
            self.wanted = replace(self.wanted, focus="")
        if self._selected not in self._picture.nodes:
            self._selected = ""
        choose = Choose(self.toggle, self.more)
        with kit.redrawn(self._stage):
            self._draw_summary(self._picture)
            draw_picture(self._picture, entries, self._selected, self.wanted.focus, choose)
        with kit.redrawn(self._details):
            self._draw_details(entries)
        with kit.redrawn(self._outline):
            map_drawing.draw_outline(self._picture, self._selected, choose)
        self._context.frame.client.run_javascript("window.aosKnowledge?.drawn()")

    def _draw_summary(self, shown: Picture) -> None:
        count = wording.plural(len(shown.nodes), "entry", "entries")
        joined = wording.plural(len(shown.lines), "connection")
        rest = (
            f"{shown.left_out:,} more found no room: close something, or choose a filter."
            if shown.left_out
            else ""
        )
        if self._lost:
            kit.notice(
                "The entry in the address is not here. These are the products.", "unsure", "search_off"
            )
        with box("aos-kb-summary"):
            Text(f"{count}, {joined}. {rest}".strip(), "p", "aos-small aos-muted").mark("map-summary")
            if self.wanted.focus:
                kit.link("All products", "/knowledge/graph", "aos-kb-link", "home")

    def _draw_controls(self) -> None:
        with box("aos-kb-controls"):

            async def chosen() -> None:
                if select.value:
                    key = str(select.value)
                    select.value = None
                    await self.focus(key)

            select = ui.select(self._choices, value=None, with_input=True, on_change=chosen)
            select.props("outlined dense options-dense aria-label='Go to an entry' label='Go to an entry'")
            select.mark("map-search")
            options = {"": "All products", **self._names}

            async def filtered() -> None:
                await self._go(replace(self.wanted, category=str(category.value or "")))

            value = self.wanted.category if self.wanted.category in options else ""
            category = ui.select(options, value=value, on_change=filtered)
            category.props("outlined dense options-dense aria-label=Product").mark("map-category")
            with box("aos-kb-kinds").props("role=group aria-label='Kinds shown'"):
                for kind in ("sign", "cause", "step", "remedy", "check"):
                    self._draw_kind(kind)

    def _draw_kind(self, kind: str) -> None:
        async def toggle() -> None:
            hidden = self.wanted.kinds ^ {kind}
            mark(kind not in hidden)
            await self._go(replace(self.wanted, kinds=hidden), selected=self._selected)

        def mark(shown: bool) -> None:
            kit.set_on(element, shown)
            element.update()

        with kit.press("aos-kb-choice").mark(f"map-kind-{kind}") as element:
            kit.icon(labels.kind_label(kind).icon)
            Text(labels.MANY[kind])
        mark(kind not in self.wanted.kinds)
        element.on("click", toggle, [])

    def _draw_details(self, entries: dict[str, Entry]) -> None:
        entry = entries.get(self._selected)
        if entry is None:
            Text("Choose an entry to open what it leads to.", "p", "aos-muted aos-small")
            return
        with box("aos-kb-crumbs"):
            labels.kind_mark(entry.kind)
            if entry.severity in labels.SEVERITIES:
                kit.badge(labels.severity_label(entry.severity))
            if entry.synthetic:
                kit.synthetic_badge()
        Text(f"{entry.name} · {entry.owner}" if entry.owner else entry.name, "h2").mark("map-selected")
        if entry.text:
            Text(entry.text, "p", "aos-small")
        with box("aos-kb-row"):
            kit.link("Open", links.node_page(entry.key), "aos-button small", "open_in_full")
            if entry.key != self.wanted.focus:
                kit.button(
                    "Put in the middle",
                    lambda: self.focus(entry.key),
                    icon_name="center_focus_strong",
                    classes="small",
                ).mark("map-focus")
