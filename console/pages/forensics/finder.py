"""Finding any past inspection: fields above, hits below, the address always saying what is shown."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from urllib.parse import urlencode

from nicegui import ui

from anomalyos.inspection import history
from anomalyos.inspection.history import InspectionFilter, InspectionHit
from console.components.explanation.words import defect_name
from console.container import Services
from console.services.blocking import run_blocking
from console.texts import links, wording
from console.ui import kit
from console.ui.kit import Text, box
from console.ui.theme import Frame

_NAMES = {
    "q": "text",
    "category": "category",
    "verdict": "verdict",
    "decision": "decision",
    "defect": "defect_type",
    "from": "first_day",
    "to": "last_day",
}
_LONGEST = 200
_LAST_PAGE = 100_000


def from_query(query: Mapping[str, str]) -> tuple[InspectionFilter, int]:
    """The search of an address and its page, counted from 0; what makes no sense is left out."""
    fields = {field: query.get(name, "").strip()[:_LONGEST] for name, field in _NAMES.items()}
    for day in ("first_day", "last_day"):
        fields[day] = day_or_nothing(fields[day])
    page = query.get("page", "")
    number = int(page) - 1 if page.isascii() and page.isdigit() and len(page) < 8 else 0
    return InspectionFilter(**fields), max(0, min(number, _LAST_PAGE))


def to_address(wanted: InspectionFilter, page: int) -> str:
    query = {name: getattr(wanted, field) for name, field in _NAMES.items() if getattr(wanted, field)}
    if page:
        query["page"] = str(page + 1)
    return f"/forensics?{urlencode(query)}" if query else "/forensics"


def day_or_nothing(text: str) -> str:
    """``text`` when it is a day as ``2026-11-24``, else empty: half a date is still being typed."""
    try:
        return date.fromisoformat(text).isoformat() if len(text) == 10 else ""
    except ValueError:
        return ""


PAGE = 30
_PAUSE = 0.3
"""Seconds without a key press after which typing counts as done."""


@dataclass(frozen=True)
class Hits:
    rows: list[InspectionHit]
    count: int
    page: int


class Finder:
    """The search page. Every change searches anew; an answer that was overtaken is dropped."""

    def __init__(self, services: Services, frame: Frame, wanted: InspectionFilter, page: int) -> None:
        self._services = services
        self._frame = frame
        self._wanted = wanted
        self._page = page
        self._asked = 0

    async def load(self) -> None:
        categories, defects = await run_blocking(self._choices)
        with box("aos-page aos-finder"):
            Text("Forensics", "h1", "aos-title")
            Text(
                "Find any part that was ever inspected, and see why it came out as it did.",
                "p",
                "aos-subtitle",
            )
            self._fields = box("aos-find", "search")
            self._draw_fields(categories, defects)
            self._summary = Text("", "p", "aos-find-count").mark("hits")
            self._summary.props("role=status")
            self._rows = box("aos-found", "ul")
            self._pager = box("aos-find-pager", "nav").props("aria-label=Pages")
        await self._search(address=False)

    def _choices(self) -> tuple[list[str], list[str]]:
        with self._services.store.session(read_only=True) as session:
            return history.known_categories(session), history.known_defect_types(session)

    # fields ----------------------------------------------------------------------------------

    def _draw_fields(self, categories: list[str], defects: list[str]) -> None:
        products = {name: wording.product(name) for name in categories}
        verdicts = {str(key): label.word for key, label in wording.VERDICTS.items()}
        decisions = {str(key): label.word for key, label in wording.DECISIONS.items() if key != "withdrawn"}
        decisions[history.UNDECIDED] = "Undecided"
        kinds = {name: defect_name(name) for name in defects}
        with self._fields:
            field = ui.input(placeholder="Number or file name", value=self._wanted.text)
            field.props("outlined dense clearable maxlength=200 aria-label='Number or file name' autofocus")
            field.classes("wide").mark("find-text")
            with field.add_slot("prepend"):
                kit.icon("search")
            field.on_value_change(lambda e: self._change(text=str(e.value or "")))
            self._select("Any product", "category", products)
            self._select("Any verdict", "verdict", verdicts)
            self._select("Any decision", "decision", decisions)
            self._select("Any defect type", "defect_type", kinds)
            self._day("From", "first_day")
            self._day("To", "last_day")
            kit.button("Clear", self._clear, icon_name="backspace", classes="small quiet").mark("find-clear")

    def _select(self, nothing: str, field: str, options: dict[str, str]) -> None:
        chosen = getattr(self._wanted, field)
        # an address may name what is not there (any more): shown, so that it can be taken away
        shown = {"": nothing, **options, **({} if chosen in options or not chosen else {chosen: chosen})}
        select = ui.select(shown, value=chosen)
        select.props["aria-label"] = nothing.removeprefix("Any ").capitalize()
        select.props("outlined dense options-dense").mark(f"find-{field.replace('_', '-')}")
        select.on_value_change(lambda e: self._change(**{field: str(e.value or "")}))

    def _day(self, label: str, field: str) -> None:
        day = ui.input(label, value=getattr(self._wanted, field)).props(
            "outlined dense type=date stack-label"
        )
        day.classes("day").mark(f"find-{field.replace('_', '-')}")
        day.on_value_change(lambda e: self._change(**{field: day_or_nothing(str(e.value or ""))}))

    async def _change(self, **fields: str) -> None:
        wanted = replace(self._wanted, **fields)
        if wanted == self._wanted:
            return
        self._wanted, self._page = wanted, 0
        self._asked += 1
        asked = self._asked
        if "text" in fields:
            await asyncio.sleep(_PAUSE)
        if asked == self._asked:
            await self._search()

    async def _clear(self) -> None:
        self._frame.client.open("/forensics")

    # hits ------------------------------------------------------------------------------------

    async def _turn(self, step: int) -> None:
        self._page = max(0, self._page + step)
        await self._search()
        self._frame.client.run_javascript("document.querySelector('.aos-main').scrollTo(0, 0)")

    async def _search(self, *, address: bool = True) -> None:
        self._asked += 1
        asked = self._asked
        hits = await run_blocking(self._find, self._wanted, self._page)
        if asked != self._asked or self._rows.is_deleted:
            return
        self._page = hits.page
        if address:
            link = json.dumps(to_address(self._wanted, self._page))
            self._frame.client.run_javascript(f"history.replaceState(history.state, '', {link})")
        self._draw(hits)

    def _find(self, wanted: InspectionFilter, page: int) -> Hits:
        """A page past the end shows the last one that can be counted."""
        with self._services.store.session(read_only=True) as session:
            count = history.count(session, wanted)
            if count <= history.COUNTED:
                page = min(page, max(0, (count - 1) // PAGE))
            rows = history.find(session, wanted, limit=PAGE + 1, offset=page * PAGE)
            return Hits(rows, count, page)

    def _draw(self, hits: Hits) -> None:
        self._summary.set_text(summary(hits))
        with kit.redrawn(self._rows):
            if not hits.rows:
                self._draw_nothing()
            for row in hits.rows[:PAGE]:
                with box("", "li"):
                    _draw_row(row)
        with kit.redrawn(self._pager):
            if hits.page:
                kit.button("Newer", lambda: self._turn(-1), icon_name="chevron_left", classes="small").mark(
                    "newer"
                )
            if len(hits.rows) > PAGE:
                kit.button("Older", lambda: self._turn(1), icon_name="chevron_right", classes="small").mark(
                    "older"
                )

    def _draw_nothing(self) -> None:
        with box("", "li"):
            if self._wanted == InspectionFilter():
                kit.empty_state(
                    "troubleshoot",
                    "No part has been inspected yet",
                    "After the first night, or the first photo under Live, every part can be found here.",
                    actions=partial(kit.link, "Inspect an image now", "/live", "aos-button primary"),
                )
            else:
                kit.empty_state(
                    "search_off",
                    "No part matches all of this",
                    "Take a filter away, or search for a piece of the file's name.",
                )


def summary(hits: Hits) -> str:
    """How many hits there are, and which of them are shown."""
    if not hits.rows:
        return "Nothing found."
    first = hits.page * PAGE + 1
    last = first + min(len(hits.rows), PAGE) - 1
    more = hits.count > history.COUNTED
    total = f"more than {history.COUNTED:,} parts" if more else wording.plural(hits.count, "part")
    return f"{total[:1].upper()}{total[1:]}, newest first" + (
        f": {first:,} to {last:,}." if more or hits.count > PAGE else "."
    )


def _draw_row(row: InspectionHit) -> None:
    with box("aos-found-row", "a", href=links.forensics(row.id)).mark(f"found-{row.id}"):
        kit.thumbnail(f"/media/thumb/{row.id}" if row.has_image else "")
        with box("aos-found-what"):
            with box("aos-found-name"):
                Text(wording.product(row.category))
                if row.synthetic:
                    Text("synthetic", classes="aos-made")
            Text(row.source, "div", "aos-file")
        with box("aos-found-marks"):
            kit.badge(wording.verdict_label(row.verdict))
            if row.decision:
                kit.badge(wording.decision_label(row.decision))
            if row.defect_type:
                Text(defect_name(row.defect_type), classes="aos-muted aos-small")
        with box("aos-found-when"):
            Text(wording.short_day(row.day))
            Text(f"Number {row.id}", "div", "aos-muted aos-small")
