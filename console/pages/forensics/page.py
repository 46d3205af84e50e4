"""Addresses of the mode: the search over all past inspections, and one of them in depth."""

from __future__ import annotations

from functools import partial

from fastapi import Request

from anomalyos.core.errors import NotFound
from console.components.visitor import Visitor
from console.container import Services
from console.pages.forensics.case_view import CaseView
from console.pages.forensics.finder import Finder, from_query
from console.services.blocking import run_blocking
from console.ui import kit
from console.ui.theme import frame


async def search(services: Services, visitor: Visitor, request: Request) -> None:
    with frame("Forensics", visitor.person, mode="/forensics", open_items=visitor.open_items) as shell:
        await Finder(services, shell, *from_query(request.query_params)).load()


async def inspection(services: Services, visitor: Visitor, inspection_id: int) -> None:
    title = f"Inspection {inspection_id}"
    with frame(title, visitor.person, mode="/forensics", open_items=visitor.open_items) as shell:
        try:
            detail = await run_blocking(services.inspections.detail, inspection_id)
        except (NotFound, OverflowError):
            kit.empty_state(
                "search_off",
                f"There is no inspection {inspection_id}",
                "The link may be from another installation. Search for the part instead.",
                actions=partial(
                    kit.link, "Search past inspections", "/forensics", "aos-button primary", "search"
                ),
            )
            return
        await CaseView(services, shell, detail).load()
