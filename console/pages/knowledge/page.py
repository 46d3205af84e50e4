"""The pages of the knowledge base and their addresses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from console.components.visitor import Visitor
from console.container import Services
from console.pages.knowledge import history
from console.pages.knowledge.case import CaseView
from console.pages.knowledge.context import SHORTCUTS, PageContext, draw_head, parameters
from console.pages.knowledge.exchange import ExchangeView
from console.pages.knowledge.graph import GraphView
from console.pages.knowledge.node import NodeView
from console.pages.knowledge.search import SearchView
from console.services.blocking import run_blocking
from console.services.knowledge_search import KnowledgeQuery
from console.texts import links, wording
from console.ui import kit
from console.ui.kit import Text, box
from console.ui.theme import frame

CHANGES = 50


@contextmanager
def _context(services: Services, visitor: Visitor, title: str, active: str) -> Iterator[PageContext]:
    with frame(
        title, visitor.person, mode="/knowledge", open_items=visitor.open_items, shortcuts=SHORTCUTS
    ) as shell:
        draw_head(active)
        yield PageContext(services, shell)


async def search(services: Services, visitor: Visitor, request: Request) -> Response | None:
    given = parameters(request)
    if given.get("node"):
        return RedirectResponse(links.node_page(given["node"]))
    if given.get("case", "").isdecimal():
        return RedirectResponse(links.case_page(int(given["case"][:12])))
    with _context(services, visitor, "Knowledge Base", "/knowledge") as context:
        await SearchView(context, KnowledgeQuery.read(**given)).open()
    return None


async def node(services: Services, visitor: Visitor, key: str) -> None:
    entries = await run_blocking(services.knowledge.entries, [key])
    title = entries[key].name if key in entries else "Knowledge Base"
    with _context(services, visitor, title, "") as context:
        await NodeView(context, key).reload()


async def case(services: Services, visitor: Visitor, case_id: int) -> None:
    with _context(services, visitor, f"Case {case_id}", "") as context:
        await CaseView(context, case_id).reload()


async def graph(services: Services, visitor: Visitor, request: Request) -> None:
    with _context(services, visitor, "Map", "/knowledge/graph") as context:
        Text("Map of the knowledge base", "h1", "aos-kb-hidden")
        await GraphView(context, parameters(request)).open()


async def changes(services: Services, visitor: Visitor, page: int = 1) -> None:
    page = max(1, min(page, 1_000_000))
    rows, total = await run_blocking(services.knowledge.changes, (page - 1) * CHANGES, CHANGES)
    keys = [key for row in rows for key in history.keys_of(row.subject)]
    names = await run_blocking(services.knowledge.names, keys)
    with _context(services, visitor, "Changes", "/knowledge/changes"), box("aos-kb-page aos-kb-narrow"):
        Text("Changes", "h1", "aos-title")
        if not total:
            kit.empty_state(
                "history", "Nobody has changed anything yet", "Every edit is kept here, with who and why."
            )
            return
        Text(f"{wording.plural(total, 'change')} by people, newest first.", "p", "aos-muted")
        history.draw(rows, names, link=True)
        with box("aos-kb-pager"):
            if page > 1:
                kit.link("Newer", f"/knowledge/changes?page={page - 1}", icon_name="chevron_left")
            if page * CHANGES < total:
                kit.link("Older", f"/knowledge/changes?page={page + 1}", icon_name="chevron_right")


async def bring(services: Services, visitor: Visitor) -> None:
    with _context(services, visitor, "Import and export", "/knowledge/exchange") as context:
        ExchangeView(context).open()
