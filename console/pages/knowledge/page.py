"""The pages of the knowledge base and their addresses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import APIRouter, Request
from nicegui import app, ui
from starlette.responses import RedirectResponse, Response

from anomalyos.knowledge import exchange
from console.api.v1 import case_media
from console.pages.knowledge import history, labels
from console.pages.knowledge.case import CaseView
from console.pages.knowledge.exchange import ExchangeView
from console.pages.knowledge.graph import GraphView
from console.pages.knowledge.node import NodeView
from console.pages.knowledge.room import SHORTCUTS, Library, Room, draw_head, parameters
from console.pages.knowledge.search import SearchView
from console.security.visitor import Visit, visit
from console.services.blocking import run_blocking
from console.services.inspection import InspectionService
from console.services.knowledge_editor import KnowledgeEditor
from console.services.knowledge_reader import KnowledgeReader
from console.services.knowledge_search import Asked, KnowledgeQuestions
from console.ui import kit, wording
from console.ui.kit import Text, box
from console.ui.theme import frame

CHANGES = 50


def register(desk: InspectionService) -> None:
    """Pages, the file of the graph, pictures of cases; search warms up once the console has started."""
    asking = KnowledgeQuestions(desk.settings, desk.store)
    library = Library(desk, KnowledgeReader(desk.store), KnowledgeEditor(desk.store), asking)
    app.on_startup(asking.start)
    app.on_shutdown(asking.stop)
    case_media.register(desk)
    _register_files(library)
    _register_search(library)
    _register_entries(library)
    _register_map(library)
    _register_changes(library)
    _register_exchange(library)


@contextmanager
def _room(library: Library, visitor: Visit, title: str, active: str) -> Iterator[Room]:
    with frame(
        title,
        visitor.person,
        mode="/knowledge",
        open_items=visitor.open_items,
        shortcuts=SHORTCUTS,
    ) as shell:
        draw_head(active)
        yield Room(library, shell)


def _register_search(library: Library) -> None:
    @ui.page("/knowledge", response_timeout=30)
    async def search(request: Request) -> Response | None:
        given = parameters(request)
        if given.get("node"):
            return RedirectResponse(labels.node_address(given["node"]))
        if given.get("case", "").isdecimal():
            return RedirectResponse(labels.case_address(int(given["case"][:12])))
        visitor = await visit(request, library.desk)
        with _room(library, visitor, "Knowledge Base", "/knowledge") as room:
            await SearchView(room, Asked.read(**given)).open()
        return None


def _register_entries(library: Library) -> None:
    @ui.page("/knowledge/node/{key:path}", response_timeout=30)
    async def node(request: Request, key: str) -> None:
        visitor = await visit(request, library.desk)
        entries = await run_blocking(library.knowing.entries, [key])
        title = entries[key].name if key in entries else "Knowledge Base"
        with _room(library, visitor, title, "") as room:
            await NodeView(room, key).reload()

    @ui.page("/knowledge/case/{case_id}", response_timeout=30)
    async def case(request: Request, case_id: int) -> None:
        visitor = await visit(request, library.desk)
        with _room(library, visitor, f"Case {case_id}", "") as room:
            await CaseView(room, case_id).reload()


def _register_map(library: Library) -> None:
    @ui.page("/knowledge/graph", response_timeout=30)
    async def graph(request: Request) -> None:
        visitor = await visit(request, library.desk)
        with _room(library, visitor, "Map", "/knowledge/graph") as room:
            Text("Map of the knowledge base", "h1", "aos-kb-hidden")
            await GraphView(room, parameters(request)).open()


def _register_changes(library: Library) -> None:
    @ui.page("/knowledge/changes", response_timeout=30)
    async def changes(request: Request, page: int = 1) -> None:
        visitor = await visit(request, library.desk)
        page = max(1, min(page, 1_000_000))
        rows, total = await run_blocking(library.knowing.changes, (page - 1) * CHANGES, CHANGES)
        keys = [key for row in rows for key in history.keys_of(row.subject)]
        names = await run_blocking(library.knowing.names, keys)
        with _room(library, visitor, "Changes", "/knowledge/changes"), box("aos-kb-page aos-kb-narrow"):
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


def _register_exchange(library: Library) -> None:
    @ui.page("/knowledge/exchange", response_timeout=30)
    async def bring(request: Request) -> None:
        visitor = await visit(request, library.desk)
        with _room(library, visitor, "Import and export", "/knowledge/exchange") as room:
            ExchangeView(room).open()


def _register_files(library: Library) -> None:
    """The whole graph as a file; the guard lets only signed-in people come here."""
    router = APIRouter(prefix="/knowledge/export", include_in_schema=False)

    @router.get("/knowledge.yaml")
    async def as_yaml() -> Response:
        text = await run_blocking(lambda: exchange.export(library.knowing.graph(), "yaml"))
        return _file(text, "application/yaml", "knowledge.yaml")

    @router.get("/knowledge.graphml")
    async def as_graphml() -> Response:
        text = await run_blocking(lambda: exchange.export(library.knowing.graph(), "graphml"))
        return _file(text, "application/xml", "knowledge.graphml")

    app.include_router(router)


def _file(text: str, media_type: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(text.encode("utf-8"), media_type=media_type, headers=headers)
