"""One result by its link."""

from __future__ import annotations

from functools import partial

from anomalyos.core.errors import NotFound
from console.components.visitor import Visitor
from console.container import Services
from console.pages.inspector.result_view import ResultView
from console.pages.inspector.reviewing import Reviewing
from console.services.blocking import run_blocking
from console.services.views import Detail
from console.texts import wording
from console.ui import kit
from console.ui.kit import Text, box
from console.ui.theme import Frame, frame


async def inspection(services: Services, visitor: Visitor, inspection_id: int) -> None:
    title = f"Inspection {inspection_id}"
    with frame(title, visitor.person, mode="/", open_items=visitor.open_items) as shell:
        try:
            detail = await run_blocking(services.inspections.detail, inspection_id)
        except NotFound:
            kit.empty_state(
                "search_off",
                f"There is no inspection {inspection_id}",
                "The link may be from another installation.",
                actions=partial(kit.link, "To the queue", "/", "aos-button primary"),
            )
            return
        _draw_head(detail)
        await _draw(services, shell, detail)


def _draw_head(detail: Detail) -> None:
    with box("aos-head"):
        kit.link("Queue", f"/?batch={detail.batch_key}", "aos-button small quiet", "arrow_back")
        with box():
            Text(f"Inspection {detail.card.id}", "h1", "aos-night-title")
            Text(f"{detail.batch_title} · {wording.moment(detail.created_at)}", "div", "aos-muted aos-small")


async def _draw(services: Services, shell: Frame, detail: Detail) -> None:
    place = box().style("flex: 1; min-height: 0; display: grid")
    defects = await run_blocking(services.inspections.defect_types, detail.card.category)

    async def reload(inspection_id: int) -> None:
        view.show(await run_blocking(services.inspections.detail, inspection_id), defects)

    reviewing = Reviewing(services, shell, decided=reload, reload=reload)
    view = ResultView(place, shell, reviewing, services.settings.console_url.rstrip("/"))
    view.show(detail, defects)
