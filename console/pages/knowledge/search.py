"""The search: a question in plain language, filters, and answers that say why they are there."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from nicegui import ui

from anomalyos.accounts.tables import Role
from anomalyos.core.errors import AnomalyOSError
from console.components.visitor import attempt
from console.pages.knowledge import labels, node_forms, results
from console.pages.knowledge.context import PageContext, said
from console.services.blocking import run_blocking
from console.services.knowledge_reader import PAGE as BROWSED
from console.services.knowledge_search import PAGE, KnowledgeQuery, SearchAnswers, corrected
from console.texts import wording
from console.ui import kit
from console.ui.kit import Text, box

ALL = ""
_AGAIN = 4.0
"""Seconds until a question is asked again that was answered while the search was loading."""


class SearchView:
    """The field, the filters and what is found; the address always tells what is on screen."""

    def __init__(self, context: PageContext, asked: KnowledgeQuery) -> None:
        self._context = context
        self.asked = asked
        self._turn = 0
        self._names: dict[str, str] = {}

    async def open(self) -> None:
        knowing = self._context.services.knowledge
        self._overview = await run_blocking(knowing.overview)
        if not any(self._overview.counts.values()):
            self._draw_nothing_known()
            return
        self._names = await run_blocking(knowing.categories)
        self._questions = await run_blocking(results.questions, knowing)
        with box("aos-kb-page aos-kb-search"):
            self._draw_field()
            self._draw_filters()
            self._results = box("aos-kb-results", "section").props("aria-label=Results aria-live=polite")
        if not self.asked.text:
            await self._show()
            return
        with self._results:
            Text("Searching …", "p", "aos-muted")
        # the page is there at once; the answers follow when the search has them
        ui.timer(0, self._show, once=True)

    # asking --------------------------------------------------------------------------------------

    async def ask(self, text: str) -> None:
        """Put a question into the field, which asks it."""
        self._field.value = text

    async def _typed(self) -> None:
        text = str(self._field.value or "").strip()[:500]
        if text != self.asked.text:
            await self._change(replace(self.asked, text=text, page=1))

    async def _change(self, asked: KnowledgeQuery) -> None:
        self.asked = asked
        self._context.frame.client.run_javascript(
            f"history.replaceState(history.state, '', {json.dumps(asked.address)})"
        )
        self._mark_kinds()
        await self._show()

    async def _turn_page(self, page: int) -> None:
        await self._change(self.asked.on_page(page))
        self._context.frame.client.run_javascript("document.querySelector('.aos-main')?.scrollTo(0, 0)")

    async def _show(self) -> None:
        """Draw the answers to what is asked now, unless something newer was asked meanwhile."""
        self._turn += 1
        turn = self._turn
        if not self.asked.text:
            await self._browse(turn)
            return
        try:
            found = await self._context.services.questions.ask(self.asked)
        except AnomalyOSError as error:
            if turn == self._turn:
                with kit.redrawn(self._results):
                    kit.notice(said(error), "unsure", "info")
            return
        if turn != self._turn or self._results.is_deleted:
            return
        with kit.redrawn(self._results):
            self._draw_found(found)
        if found.loading:
            ui.timer(_AGAIN, partial(self._ask_again, turn), once=True)

    async def _ask_again(self, turn: int) -> None:
        """Better answers as soon as there are any, unless something else was asked meanwhile."""
        if turn == self._turn:
            await self._show()

    async def _browse(self, turn: int) -> None:
        asked = self.asked
        if asked.since or asked.until or asked.kind == "note":
            with kit.redrawn(self._results):
                kit.notice("Type a word or two to search with these filters.", "accent", "info")
            return
        if not asked.filtered:
            with kit.redrawn(self._results):
                results.draw_landing(self._overview, self._questions, self.ask)
            return
        draw, total = await self._listed(asked)
        if turn != self._turn:
            return
        with kit.redrawn(self._results):
            if not total:
                self._draw_no_answers()
                return
            Text(f"{labels.MANY.get(asked.kind, 'Entries')}: {total:,}", "h2", "aos-kb-told")
            with box("aos-kb-hits"):
                for one in draw:
                    one()
            self._draw_pager(more=asked.page * BROWSED < total)

    async def _listed(self, asked: KnowledgeQuery) -> tuple[list[Callable[[], None]], int]:
        """What draws one page of a list, and how many there are in all."""
        knowing, offset = self._context.services.knowledge, (asked.page - 1) * BROWSED
        if asked.kind == "case":
            rows, total = await run_blocking(
                knowing.case_list, asked.category, asked.severity, removed=False, offset=offset
            )
            return [partial(results.draw_case, row, self._names) for row in rows], total
        kinds = [asked.kind] if asked.kind else []
        entries, total = await run_blocking(knowing.browse, kinds, asked.category, asked.severity, offset)
        return [partial(results.draw_entry, entry) for entry in entries], total

    # drawing -------------------------------------------------------------------------------------

    def _draw_field(self) -> None:
        with box("aos-kb-ask").props("role=search"):
            kit.icon("search")
            self._field = ui.input(
                value=self.asked.text,
                placeholder="Search causes, remedies, checks, cases and notes",
                on_change=self._typed,
            )
            self._field.props("borderless debounce=250 aria-label='Search the knowledge base' maxlength=500")
            self._field.props("input-class=aos-kb-field autocomplete=off").mark("ask")
            kit.key("/")

    async def _add(self) -> None:
        async def added() -> None:
            self._overview = await run_blocking(self._context.knowledge.overview)
            await self._show()

        await node_forms.open_adding(self._context, added)

    def _draw_filters(self) -> None:
        with box("aos-kb-filters"):
            self._kinds: dict[str, ui.element] = {}
            with box("aos-kb-kinds").props("role=group aria-label='Kind of answer'"):
                self._kind(ALL, "All")
                for kind, name in labels.MANY.items():
                    self._kind(kind, name)
            with box("aos-kb-row"):
                self._select("category", "Product", {ALL: "All products", **self._names})
                severities = {name: label.word for name, label in labels.SEVERITIES.items()}
                self._select("severity", "Severity", {ALL: "Any severity", **severities})
                self._date("since", "From day")
                self._date("until", "To day")
                if self._context.person.may(Role.ENGINEER):
                    box("space")
                    kit.button("Add", self._add, icon_name="add", classes="small").mark("add")
        self._mark_kinds()

    def _kind(self, kind: str, name: str) -> None:
        async def choose() -> None:
            await self._change(replace(self.asked, kind=kind, page=1))

        with kit.press("aos-kb-choice", choose).mark(f"kind-{kind or 'all'}") as element:
            if kind:
                kit.icon(labels.kind_label(kind).icon)
            Text(name)
        self._kinds[kind] = element

    def _mark_kinds(self) -> None:
        for kind, element in self._kinds.items():
            kit.set_on(element, kind == self.asked.kind)

    def _select(self, name: str, label: str, options: dict[str, str]) -> None:
        value = getattr(self.asked, name)

        async def chosen() -> None:
            await self._change(replace(self.asked, **{name: str(select.value or "")}, page=1))

        select = ui.select(options, value=value if value in options else ALL, on_change=chosen)
        select.props(f"outlined dense options-dense aria-label={label}").mark(f"filter-{name}")

    def _date(self, name: str, label: str) -> None:
        async def chosen() -> None:
            day = KnowledgeQuery.read(**{name: str(field.value or "")})
            if getattr(day, name) != getattr(self.asked, name):
                await self._change(replace(self.asked, **{name: getattr(day, name)}, page=1))

        with box("aos-kb-date", "span"):
            Text(label, classes="aos-small aos-muted")
            field = ui.input(value=getattr(self.asked, name), on_change=chosen)
            field.props(f"type=date outlined dense aria-label='{label}'").mark(f"filter-{name}")

    def _draw_found(self, found: SearchAnswers) -> None:
        if found.words_only:
            kit.notice(f"{found.words_only} These answers go by words alone.", "unsure", "hourglass_top")
        if not found.hits:
            self._draw_no_answers()
            return
        first = (self.asked.page - 1) * PAGE + 1
        last = first + len(found.hits) - 1
        with box("aos-kb-told-row"):
            Text(f"Best answers, {first} to {last}", "h2", "aos-kb-told")
            mended = corrected(self.asked.text, found.hits)[:4]
            if mended:
                Text(f"Also read as: {', '.join(mended)}", classes="aos-small aos-muted").mark("mended")
            Text(wording.milliseconds(max(found.ms, 1)), classes="aos-small aos-muted")
        with box("aos-kb-hits"):
            for one in found.hits:
                results.draw_hit(one, found, self._names)
        self._draw_pager(more=found.more)

    def _draw_pager(self, *, more: bool) -> None:
        page = self.asked.page
        if page == 1 and not more:
            return
        with box("aos-kb-pager"):
            if page > 1:
                back = kit.button("Earlier", lambda: self._turn_page(page - 1), icon_name="chevron_left")
                back.mark("earlier")
            Text(f"Page {page}", classes="aos-muted aos-small")
            if more:
                kit.button("Later", lambda: self._turn_page(page + 1), icon_name="chevron_right").mark(
                    "later"
                )

    def _draw_no_answers(self) -> None:
        tip = "Take a filter away." if self.asked.filtered else "Try other words."
        kit.empty_state("search_off", "Nothing found", tip)

    def _draw_nothing_known(self) -> None:
        engineer = self._context.person.may(Role.ENGINEER)

        def actions() -> None:
            if engineer:
                kit.button("Fill it", self._seed, icon_name="auto_awesome", classes="primary").mark("seed")
                kit.link("Import a file", "/knowledge/exchange", "aos-button", "upload_file")

        kit.empty_state(
            "menu_book",
            "Nothing is known yet",
            "The project ships defects, causes, remedies and checks of common products. "
            + (
                "Fill the knowledge base with them, or import your own."
                if engineer
                else "An engineer can add them here."
            ),
            actions=actions,
        )

    async def _seed(self) -> None:
        services, editor = self._context.services, self._context.editor
        if await attempt(
            services,
            self._context.frame,
            Role.ENGINEER,
            lambda who: editor.seed(who, services.settings),
            say=said,
        ):
            self._context.frame.client.open("/knowledge")
