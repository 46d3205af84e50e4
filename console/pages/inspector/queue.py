"""The queue of one night: flagged items, most suspicious first, decided one after another."""

from __future__ import annotations

from fastapi import Request
from nicegui import ui

from anomalyos.errors import NotFound
from anomalyos.nightly import batch_of_run
from anomalyos.store.tables import Role
from console import kit, wording
from console.desk import Desk, QueueFilter, QueuePage
from console.kit import box
from console.offload import off_loop
from console.pages.access import acting, visit
from console.pages.inspector.head import QUEUE, Head
from console.pages.inspector.item_list import ItemList
from console.pages.inspector.queue_state import PAGE, QueueState
from console.pages.inspector.result_view import ResultView
from console.pages.inspector.reviewing import Reviewing
from console.reads import NightRow
from console.theme import Frame, frame


def register(desk: Desk) -> None:
    @ui.page("/", response_timeout=30)
    async def queue(request: Request, batch: str = "", run: str = "") -> None:
        visitor = await visit(request, desk)
        # Airflow's page of a run knows its run id only
        found: str | None = await off_loop(batch_of_run, desk.store, run) if run else None
        wanted = batch or found or run
        key = wanted or await off_loop(latest_night, desk)
        with frame("Inspector", visitor.person, mode="/", open_items=visitor.open_items) as shell:
            head = Head(desk, QUEUE)
            night = await find_night(desk, key)
            await head.show(night)
            if night is None:
                _no_night(wanted=wanted)
                return
            await QueueView(desk, shell, head, night).open()


def latest_night(desk: Desk) -> str:
    """Key of the newest night, empty when there is none."""
    newest = desk.nights(limit=1)
    return newest[0].key if newest else ""


async def find_night(desk: Desk, key: str) -> NightRow | None:
    if not key:
        return None
    try:
        return (await off_loop(desk.summary, key))[0]
    except NotFound:
        return None


def _no_night(wanted: str) -> None:
    def actions() -> None:
        kit.link("Inspect an image now", "/live", "aos-button primary", "add_photo_alternate")
        if wanted:
            kit.link("Latest night", "/", "aos-button")

    if wanted:
        kit.empty_state(
            "search_off",
            "There is no such night",
            "The link names a batch that does not exist here.",
            actions=actions,
        )
        return
    kit.empty_state(
        "bedtime",
        "No night yet",
        "When the nightly run has inspected its first images, what it flagged waits here for you.",
        actions=actions,
    )


class QueueView:
    """List at the left, the selected item at the right."""

    def __init__(self, desk: Desk, shell: Frame, head: Head, night: NightRow) -> None:
        self._desk = desk
        self._shell = shell
        self._head = head
        self._night = night
        self._defects: dict[str, list[str]] = {}
        wanted = QueueFilter(night.key)
        self.state = QueueState(wanted, QueuePage([], 0, 0))
        with box("aos-review"):
            self._list = ItemList(self)
            right = box().style("min-width: 0; min-height: 0; display: grid")
        reviewing = Reviewing(desk, shell, decided=self._decided, reload=self._reload)
        self._right = right
        self._result = ResultView(right, shell, reviewing, desk.settings.console_url.rstrip("/"), self.step)

    async def open(self) -> None:
        categories = await off_loop(self._desk.batch_categories, self._night.key)
        self._list.set_categories(categories)
        await self._load(offset=0, index=0)

    # moving --------------------------------------------------------------------------------------

    async def step(self, by: int) -> None:
        """Next or previous item, over the page's edge too."""
        if not await acting(self._desk, self._shell, Role.VIEWER):
            return
        target = self.state.index + by
        if 0 <= target < len(self.state.cards):
            await self.select(target)
        elif target < 0 and self.state.has_earlier:
            await self._load(offset=self.state.page.offset - PAGE, index=PAGE - 1)
        elif target >= len(self.state.cards) and self.state.has_later:
            await self._load(offset=self.state.page.offset + PAGE, index=0)

    async def select(self, index: int) -> None:
        self.state.index = index
        self._list.mark_selected()
        await self._show_current()

    async def turn(self, by: int) -> None:
        """Another page of the list."""
        if await acting(self._desk, self._shell, Role.VIEWER):
            await self._load(offset=max(0, self.state.page.offset + by * PAGE), index=0)

    async def filter(self, *, decided: bool | None, category: str | None) -> None:
        if await acting(self._desk, self._shell, Role.VIEWER):
            self.state.wanted = self.state.with_filter(decided=decided, category=category)
            await self._load(offset=0, index=0)

    async def _load(self, *, offset: int, index: int, prefer: int | None = None) -> None:
        page = await off_loop(self._desk.queue, self.state.wanted, offset=offset, limit=PAGE)
        self.state.put(page, prefer=prefer, index=index)
        self._list.draw()
        await self._show_current()

    async def _show_current(self) -> None:
        card = self.state.current
        if card is None:
            self._result.clear()
            with self._right:
                self._draw_nothing()
            return
        detail = await off_loop(self._desk.detail, card.id)
        self.state.replace_current(detail.card)
        if card.category not in self._defects:
            self._defects[card.category] = await off_loop(self._desk.defect_types, card.category)
        self._result.show(detail, self._defects[card.category], self.state.position_text)
        self._preload()

    def _preload(self) -> None:
        following = self.state.cards[self.state.index + 1 : self.state.index + 3]
        addresses = [
            f"/media/{kind}/{card.id}"
            for card in following
            for kind in ("image", "heatmap")
            if kind == "image" or card.p_value is not None
        ]
        self._shell.client.run_javascript(f"window.aos?.reveal(); window.aos?.preload({addresses})")

    # after a decision ----------------------------------------------------------------------------

    async def _decided(self, inspection_id: int) -> None:
        await self._refresh_head()
        if self.state.wanted.decided is False:
            # the item leaves the list, so the next one moves to its place
            await self._load(offset=self.state.page.offset, index=self.state.index)
            return
        detail = await off_loop(self._desk.detail, inspection_id)
        self.state.replace_current(detail.card)
        following = self.state.next_undecided()
        self._list.draw()
        if following is not None:
            await self.select(following)
        elif self.state.has_later:
            await self.turn(1)
        else:
            await self._show_current()

    async def _reload(self, inspection_id: int) -> None:
        """After an undo or a conflict: show that item as it is now, wherever it is in the list."""
        await self._refresh_head()
        await self._load(offset=self.state.page.offset, index=self.state.index, prefer=inspection_id)
        if self.state.current is None or self.state.current.id != inspection_id:
            detail = await off_loop(self._desk.detail, inspection_id)
            self._result.show(detail, await off_loop(self._desk.defect_types, detail.card.category))

    async def _refresh_head(self) -> None:
        self._night = (await off_loop(self._desk.summary, self._night.key))[0]
        await self._head.show(self._night)

    # nothing to show -----------------------------------------------------------------------------

    def _draw_nothing(self) -> None:
        night, wanted = self._night, self.state.wanted
        if wanted.category is not None:
            kit.empty_state(
                "filter_alt_off",
                f"Nothing here for {wording.product(wanted.category)}",
                "Choose another product at the left.",
            )
        elif night.total == 0:
            kit.empty_state(
                "hourglass_empty", "This night has no images yet", "They appear as the run inspects them."
            )
        elif night.flagged == 0:
            kit.empty_state(
                "verified",
                "Nothing was flagged",
                f"All of the {wording.plural(night.total - night.rejected, 'part')} inspected look normal.",
                tone="normal",
            )
        else:
            self._draw_done()

    def _draw_done(self) -> None:
        night = self._night
        text = (
            f"{wording.plural(night.total, 'image')} inspected, {night.flagged:,} flagged, all decided."
            + (f" {wording.plural(night.rejected, 'file')} could not be read." if night.rejected else "")
        )

        def actions() -> None:
            kit.button("Look at them again", self._show_all, icon_name="visibility").mark("look-again")
            if night.rejected:
                kit.link("Rejected files", f"/rejected?batch={night.key}", "aos-button", "block")

        kit.empty_state("check_circle", "Done. The night is decided.", text, tone="normal", actions=actions)

    async def _show_all(self) -> None:
        self._list.set_decided(None)
        await self.filter(decided=None, category=None)
