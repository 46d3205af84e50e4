"""Addresses of the mode: the search over all past inspections, and one of them in depth."""

from __future__ import annotations

from fastapi import Request
from nicegui import app, ui

from anomalyos.core.errors import NotFound
from console.api.v1 import explanation_media, exports
from console.pages.forensics.case_view import CaseView
from console.pages.forensics.finder import Finder
from console.pages.forensics.wanted import from_query
from console.security.visitor import visit
from console.services.blocking import run_blocking
from console.services.explanation import explanations_of
from console.services.inspection import InspectionService
from console.ui import kit
from console.ui.theme import frame


def register(desk: InspectionService) -> None:
    explaining = explanations_of(desk)
    explanation_media.register(desk)
    exports.register(desk, explaining)
    app.on_shutdown(explaining.close)

    @ui.page("/forensics", response_timeout=30)
    async def search(request: Request) -> None:
        visitor = await visit(request, desk)
        with frame("Forensics", visitor.person, mode="/forensics", open_items=visitor.open_items) as shell:
            await Finder(desk, shell, *from_query(request.query_params)).load()

    @ui.page("/forensics/{inspection_id}", response_timeout=30)
    async def inspection(request: Request, inspection_id: int) -> None:
        visitor = await visit(request, desk)
        title = f"Inspection {inspection_id}"
        with frame(title, visitor.person, mode="/forensics", open_items=visitor.open_items) as shell:
            try:
                detail = await run_blocking(desk.detail, inspection_id)
            except (NotFound, OverflowError):
                kit.empty_state(
                    "search_off",
                    f"There is no inspection {inspection_id}",
                    "The link may be from another installation. Search for the part instead.",
                    actions=_to_search,
                )
                return
            await CaseView(desk, shell, detail).load()


def _to_search() -> None:
    kit.link("Search past inspections", "/forensics", "aos-button primary", "search")
