"""Files of a night that could not be inspected, and what to do about each."""

from __future__ import annotations

from anomalyos.inspection.tables import Verdict
from console.components.night_head import REJECTED, Head
from console.components.visitor import Visitor
from console.container import Services
from console.services.blocking import run_blocking
from console.services.queue import QueueFilter
from console.services.views import Card
from console.texts import links, wording
from console.ui import kit
from console.ui.kit import Text, box
from console.ui.theme import frame

PAGE = 50


async def rejected(services: Services, visitor: Visitor, batch: str = "", offset: int = 0) -> None:
    night = await run_blocking(services.inspections.night, batch)
    with frame("Rejected", visitor.person, mode="/", open_items=visitor.open_items):
        await Head(services, REJECTED).show(night)
        if night is None:
            kit.empty_state("bedtime", "No night yet", "Files that cannot be read are listed here.")
            return
        wanted = QueueFilter(night.key, decided=None, verdicts=(Verdict.REJECTED,))
        page = await run_blocking(services.queue.page, wanted, offset=max(0, offset), limit=PAGE)
        if not page.cards:
            kit.empty_state(
                "verified", "Every file could be read", "Nothing was rejected in this batch.", tone="normal"
            )
            return
        with box("aos-page"):
            Text(wording.plural(page.total, "file") + " could not be inspected", "h2", "aos-product")
            Text("They are kept as they came. Nothing was guessed about them.", "p", "aos-muted")
            with box("aos-card aos-rejects").style("margin-top: 20px; padding: 6px 22px"):
                for card in page.cards:
                    _row(card)
            _pager(night.key, page.offset, len(page.cards), page.total)


def _row(card: Card) -> None:
    with box("aos-reject"):
        with box():
            Text(card.source, "div", "name")
            if card.category:
                Text(card.category, "div", "aos-muted aos-small")
        with box():
            Text(card.reject_reason, "div", "why")
            Text(wording.NEXT_STEPS.get(card.reject_code, "Send the photo again."), "div", "next")
        kit.link("Details", links.inspection(card.id), "aos-button small quiet")


def _pager(key: str, start: int, shown: int, total: int) -> None:
    if total <= PAGE:
        return
    with box("aos-pager"):
        Text(f"{start + 1}–{start + shown} of {total}")
        with box("aos-pager-buttons"):
            if start > 0:
                kit.link("Back", f"/rejected?batch={key}&offset={max(0, start - PAGE)}", "aos-button small")
            if start + shown < total:
                kit.link("More", f"/rejected?batch={key}&offset={start + PAGE}", "aos-button small")
