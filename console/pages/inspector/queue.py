"""The queue: flagged items, most suspicious first, decided one after another."""

from __future__ import annotations

import asyncio
import json

from fastapi import Request

from anomalyos.accounts.tables import Role
from anomalyos.core.errors import NotFound
from anomalyos.inspection.nightly import batch_of_run
from console.components.night_head import QUEUE, Head
from console.components.visitor import Visitor, reauthorize
from console.container import Services
from console.pages.inspector import nothing, queue_state
from console.pages.inspector.item_lease import ItemLease
from console.pages.inspector.item_list import AHEAD, ItemList, draw_filmstrip
from console.pages.inspector.queue_state import PAGE, QueueState
from console.pages.inspector.result_view import ResultView
from console.pages.inspector.reviewing import Reviewing
from console.services.blocking import run_blocking
from console.services.nights import NightRow
from console.services.queue import QueueFilter, QueuePage
from console.services.views import Card
from console.ui.kit import box
from console.ui.theme import Frame, frame

_PRELOADED = 3
"""Items ahead whose photo and heat map are fetched before they are asked for."""


async def queue(
    services: Services, visitor: Visitor, request: Request, batch: str = "", run: str = "", item: str = ""
) -> None:
    # Airflow's page of a run knows its run id only
    found: str | None = await run_blocking(batch_of_run, services.store, run) if run else None
    named = batch or found or run
    with frame("Inspector", visitor.person, mode="/", open_items=visitor.open_items) as shell:
        head = Head(services, QUEUE)
        night = await run_blocking(services.inspections.night, named)
        await head.show(night)
        if night is None:
            nothing.no_night(named)
            return
        wanted = queue_state.read(night.key, request.query_params)
        await QueueView(services, shell, head, night, wanted).open(queue_state.number(item))


class QueueView:
    """List at the left, the selected item at the right."""

    def __init__(
        self, services: Services, shell: Frame, head: Head, night: NightRow, wanted: QueueFilter
    ) -> None:
        self._services = services
        self._shell = shell
        self._head = head
        self._night = night
        self._defects: dict[str, list[str]] = {}
        self._showing = asyncio.Lock()
        self.state = QueueState(wanted, QueuePage([], 0, 0))
        self.lease = ItemLease(
            services, shell, self._others_moved, lambda: [card.id for card in self.state.around]
        )
        with box("aos-review"):
            self._list = ItemList(self)
            self._right = box().style("min-width: 0; min-height: 0; display: grid")
        reviewing = Reviewing(
            services, shell, decided=self._decided, reload=self._reload, claim=self.lease.confirm
        )
        self._result = ResultView(
            self._right,
            shell,
            reviewing,
            services.settings.console_url.rstrip("/"),
            strip=lambda: draw_filmstrip(self),
        )

    async def open(self, item: int | None) -> None:
        """Read and draw, at ``item`` when the address named one."""
        facets = await run_blocking(self._services.queue.facets, self._night.key)
        self._list.filters.set_facets(facets)
        await run_blocking(self._services.queue.tidy_leases)
        if item is None:
            await self._load(offset=0, index=0, advance=self.state.wanted.decided is False)
        else:
            await self._load_at(item)

    # moving --------------------------------------------------------------------------------------

    async def step(self, by: int) -> None:
        """Next or previous item, over the page's edge too."""
        if await reauthorize(self._services, self._shell, Role.VIEWER):
            await self._go(self.state.index + by)

    async def go(self, place: int) -> None:
        """The item at ``place`` of this page, which may be one of the next page."""
        if await reauthorize(self._services, self._shell, Role.VIEWER):
            await self._go(place)

    async def turn(self, by: int) -> None:
        """Another page of the list."""
        if await reauthorize(self._services, self._shell, Role.VIEWER):
            await self._load(offset=max(0, self.state.page.offset + by * PAGE), index=0)

    async def filter(self, wanted: QueueFilter) -> None:
        """Narrow the queue; the night stays."""
        if await reauthorize(self._services, self._shell, Role.VIEWER):
            self.state.wanted = wanted
            await self._load(offset=0, index=0, advance=wanted.decided is False)

    async def _go(self, place: int) -> None:
        state = self.state
        if 0 <= place < len(state.cards):
            state.index = place
            self._list.mark()
            await self._show_current()
        elif place < 0 and state.has_earlier:
            await self._load(offset=state.page.offset - PAGE, index=PAGE - 1)
        elif place >= len(state.cards) and state.has_later:
            await self._load(offset=state.page.offset + PAGE, index=place - len(state.cards))

    async def _load(self, *, offset: int, index: int, advance: bool = False) -> None:
        self.state.put(await self._page(offset), index=index)
        if advance:
            await self._advance(index)
        await self.lease.look()
        self._list.draw()
        await self._show_current()

    async def _load_at(self, inspection_id: int) -> None:
        """Show an item where it stands in the list, or beside the list when the filter leaves it out."""
        place = await run_blocking(self._services.queue.place, self.state.wanted, inspection_id)
        offset = self.state.page.offset if place is None else place // PAGE * PAGE
        self.state.put(await self._page(offset), prefer=inspection_id)
        if place is None:
            self.state.index = -1
        await self.lease.look()
        self._list.draw()
        try:
            await self._show(inspection_id)
        except NotFound:
            self.state.index = 0
            await self._show_current()

    async def _page(self, offset: int) -> QueuePage:
        return await run_blocking(
            self._services.queue.page, self.state.wanted, offset=offset, limit=PAGE, ahead=AHEAD
        )

    async def _advance(self, start: int) -> None:
        """Stand on the next item nobody else looks at, on this page or the next; stay when there is none."""
        order = self.state.undecided_from(start)
        place = await self.lease.first_free([self.state.cards[place] for place in order])
        if place is not None:
            self.state.index = order[place]
        elif self.state.has_later:
            following = await self._page(self.state.page.offset + PAGE)
            place = await self.lease.first_free(following.cards)
            if place is not None:
                self.state.put(following, index=place)

    # showing -------------------------------------------------------------------------------------

    async def _show_current(self) -> None:
        card = self.state.current
        if card is not None:
            await self._show(card.id)
            return
        await self.lease.leave()
        self._result.clear()
        with self._right:
            nothing.nothing_left(
                self._night, self.state.wanted, show_all=self._show_all, clear=self._clear_filters
            )
        self._tell_browser([])

    async def _show(self, inspection_id: int) -> None:
        async with self._showing:
            current = self.state.current
            if current is not None and current.id != inspection_id:
                return  # the reviewer has moved on while this waited
            detail = await run_blocking(self._services.inspections.detail, inspection_id)
            await self.lease.show(detail.card)
            self.state.replace(detail.card)
            names = await self._defect_types(detail.card)
            self._result.show(detail, names, self.state.position_text, self.lease.holder)
            self._tell_browser(self.state.around[self.state.index + 1 :][:_PRELOADED], inspection_id)

    async def _defect_types(self, card: Card) -> list[str]:
        if card.category not in self._defects:
            self._defects[card.category] = await run_blocking(
                self._services.inspections.defect_types, card.category
            )
        return self._defects[card.category]

    def _tell_browser(self, following: list[Card], item: int | None = None) -> None:
        """What comes next is fetched now, and the address names what is shown."""
        pictures = [
            f"/media/{kind}/{card.id}"
            for card in following
            for kind in ("image", "heatmap")
            if kind == "image" or card.p_value is not None
        ]
        address = queue_state.write(self.state.wanted, item)
        self._shell.client.run_javascript(
            f"history.replaceState(history.state, '', {json.dumps(address)});"
            f"window.aos?.reveal(); window.aos?.preload({json.dumps(pictures)})"
        )

    async def _others_moved(self, shown: bool) -> None:
        self._list.mark()
        self._result.others_moved(self.lease.holder if shown else None)

    # after a decision ----------------------------------------------------------------------------

    async def _decided(self, inspection_id: int) -> None:
        await self._refresh_head()
        if self.state.wanted.decided is False:
            # the item leaves the list, so the next one moves to its place
            await self._load(offset=self.state.page.offset, index=max(0, self.state.index), advance=True)
            return
        detail = await run_blocking(self._services.inspections.detail, inspection_id)
        self.state.replace(detail.card)
        if self.state.wanted.decided is None:
            await self._advance(self.state.index + 1)
        await self.lease.look()
        self._list.draw()
        await self._show_current()

    async def _reload(self, inspection_id: int) -> None:
        """After an undo or a conflict: show that item as it is now, wherever it is in the list."""
        await self._refresh_head()
        await self._load_at(inspection_id)

    async def _refresh_head(self) -> None:
        night = await run_blocking(self._services.inspections.night, self._night.key)
        if night is not None:
            self._night = night
        await self._head.show(self._night)

    async def _show_all(self) -> None:
        await self._set_filter(QueueFilter(self._night.key, decided=None))

    async def _clear_filters(self) -> None:
        await self._set_filter(QueueFilter(self._night.key))

    async def _set_filter(self, wanted: QueueFilter) -> None:
        self._list.filters.show(wanted)
        await self.filter(wanted)
