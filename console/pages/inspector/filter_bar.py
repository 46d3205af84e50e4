"""What narrows the queue: the state of decision always in sight, the other filters one key away."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from nicegui import events, ui

from anomalyos.inspection.inspections import FLAGGED
from console.pages.inspector.queue_state import VERDICTS, number
from console.services.queue import Facets, QueueFilter
from console.texts import wording
from console.ui import kit
from console.ui.kit import Text, box

_STATES: tuple[tuple[str, bool | None], ...] = (("To decide", False), ("Decided", True), ("All", None))
Options = Sequence[tuple[str, str]]


class FilterBar:
    """Draws a ``QueueFilter`` and tells ``changed`` which other one was chosen."""

    def __init__(self, wanted: QueueFilter, changed: Callable[[QueueFilter], Awaitable[None]]) -> None:
        self._wanted = wanted
        self._changed = changed
        self._facets = Facets([], [], [])
        self._states: list[tuple[bool | None, ui.element]] = []
        with box("aos-list-head"):
            with box("aos-segments").props("role=group aria-label='State of decision'"):
                for text, decided in _STATES:
                    self._draw_state(text, decided)
            with box("aos-filter-row"):
                opener = kit.button(
                    "Filter", icon_name="filter_list", shortcut="L", classes="small quiet", act="filters"
                )
                opener.props("aria-expanded=false").mark("filters")
                self._chips = box("aos-filter-chips")
            self._form = box("aos-filters").props("role=group aria-label=Filters")

    def set_facets(self, facets: Facets) -> None:
        self._facets = facets
        self.show(self._wanted)

    def show(self, wanted: QueueFilter) -> None:
        """Draw a filter that was set elsewhere."""
        self._wanted = wanted
        with kit.redrawn(self._form):
            self._draw_choices()
        self._mark()

    def _draw_state(self, text: str, decided: bool | None) -> None:
        async def choose() -> None:
            # an open item has no reviewer who decided it
            reviewer = None if decided is False else self._wanted.reviewer
            await self._choose(replace(self._wanted, decided=decided, reviewer=reviewer), redraw=True)

        with kit.press("aos-segment", choose) as element:
            Text(text)
        self._states.append((decided, element))

    def _draw_choices(self) -> None:
        wanted, facets = self._wanted, self._facets
        chosen = wanted.verdicts[0] if len(wanted.verdicts) == 1 else ""
        self._draw_choice(
            "Product",
            [("", "All products"), *((name, wording.product(name)) for name in facets.categories)],
            wanted.category or "",
            lambda value: replace(self._wanted, category=value or None),
        )
        self._draw_choice(
            "Verdict",
            [("", "Flagged and unknown"), *((str(one), wording.verdict_label(one).word) for one in VERDICTS)],
            chosen,
            lambda value: replace(self._wanted, verdicts=(value,) if value else FLAGGED),
        )
        self._draw_choice(
            "Model",
            [("", "All versions"), *((str(model_id), name) for model_id, name in facets.models)],
            str(wanted.model_version_id or ""),
            lambda value: replace(self._wanted, model_version_id=number(value)),
        )
        self._draw_choice(
            "Decided by",
            [("", "Anybody"), *((name, name) for name in facets.reviewers)],
            wanted.reviewer or "",
            self._by_reviewer,
        )

    def _by_reviewer(self, name: str) -> QueueFilter:
        # whoever asks for a reviewer wants to see decisions
        decided = True if name and self._wanted.decided is False else self._wanted.decided
        return replace(self._wanted, reviewer=name or None, decided=decided)

    def _draw_choice(
        self, label: str, options: Options, value: str, chosen: Callable[[str], QueueFilter]
    ) -> None:
        async def choose(event: events.GenericEventArguments) -> None:
            await self._choose(chosen(str(event.args)))

        if value and value not in {key for key, _ in options}:
            options = [*options, (value, value)]
        with box("aos-filter", "label"):
            Text(label)
            with box("", "select") as select:
                for key, text in options:
                    option = Text(text, "option", value=key)
                    option.props.set_bool("selected", key == value)
        select.on("change", choose, js_handler="(event) => emit(event.target.value)")
        select.mark(f"filter-{label.split()[0].lower()}")

    async def _choose(self, wanted: QueueFilter, *, redraw: bool = False) -> None:
        self._wanted = wanted
        if redraw:
            self.show(wanted)
        else:
            self._mark()
        await self._changed(wanted)

    def _mark(self) -> None:
        """Say which filters are set, without touching the fields somebody may be in."""
        for decided, element in self._states:
            kit.set_on(element, decided is self._wanted.decided)
        with kit.redrawn(self._chips):
            for text, without in self._set():
                self._draw_chip(text, without)

    def _set(self) -> list[tuple[str, QueueFilter]]:
        """Each filter that is set, in words, and the filter without it."""
        wanted, found = self._wanted, []
        if wanted.category is not None:
            found.append((wording.product(wanted.category), replace(wanted, category=None)))
        if len(wanted.verdicts) == 1:
            word = wording.verdict_label(wanted.verdicts[0]).word
            found.append((word, replace(wanted, verdicts=FLAGGED)))
        if wanted.model_version_id is not None:
            names = dict(self._facets.models)
            name = names.get(wanted.model_version_id, f"model {wanted.model_version_id}")
            found.append((name, replace(wanted, model_version_id=None)))
        if wanted.reviewer is not None:
            found.append((f"by {wanted.reviewer}", replace(wanted, reviewer=None)))
        return found

    def _draw_chip(self, text: str, without: QueueFilter) -> None:
        async def remove() -> None:
            await self._choose(without, redraw=True)

        with kit.press("aos-filter-chip", remove, aria_label=f"Remove the filter {text}"):
            Text(text)
            kit.icon("close")
