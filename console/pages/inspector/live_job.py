"""One uploaded image on its way through the stages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from console import kit, wording
from console.kit import Text, box
from console.pages.inspector.item_list import made_mark, thumbnail
from console.views import Detail


class LiveJob:
    """``report`` is called by the inspecting thread; everything else on the event loop."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.detail: Detail | None = None
        self.error = ""
        self._stage = ""
        self._share = 0.0
        self._drawn: tuple[str, float] | None = None
        self.row: ui.element

    def report(self, stage: str, share: float) -> None:
        """Note the stage that begins and the share of the work that is done, 0 to 1."""
        self._stage, self._share = stage, share

    def draw(self, choose: Callable[[], Awaitable[None]]) -> None:
        self.row = box("aos-item", "button").props("type=button").mark("job")
        self.row.on("click", choose, [])
        with self.row:
            with box("aos-thumb"):
                kit.icon("hourglass_top")
            with box().style("min-width: 0"):
                Text(self.name, "div", "aos-item-name")
                self._status = Text("Waiting for its turn", "div", "aos-item-sub")
                with box("aos-progress"):
                    self._bar = box().style("width: 0%")

    def tick(self) -> None:
        """Bring the row up to date with what the thread reported."""
        now = (self._stage, self._share)
        if self.detail is not None or self.error or now == self._drawn or not self._stage:
            return
        self._drawn = now
        self._status.set_text(wording.STAGES.get(self._stage, self._stage))
        self._bar.style(f"width: {100 * self._share:.0f}%")

    def finish(self, detail: Detail) -> None:
        self.detail = detail
        card = detail.card
        label = (
            wording.decision_label(card.decision) if card.decision else wording.verdict_label(card.verdict)
        )
        self.row.clear()
        with self.row:
            thumbnail(card)
            with box().style("min-width: 0"):
                Text(self.name, "div", "aos-item-name")
                product = f" · {wording.product(card.category)}" if card.category else ""
                Text(label.word + product, "div", "aos-item-sub")
                made_mark(card)
            with box(f"aos-item-mark tone-{label.tone}"):
                kit.icon(label.icon)
                ui.tooltip(label.word)

    def fail(self, reason: str) -> None:
        self.error = reason
        self.row.clear()
        with self.row:
            with box("aos-thumb"):
                kit.icon("error")
            with box().style("min-width: 0"):
                Text(self.name, "div", "aos-item-name")
                Text(reason, "div", "aos-item-sub").style("white-space: normal")

    def select(self, chosen: bool) -> None:
        self.row.classes(**({"add": "selected"} if chosen else {"remove": "selected"}))
