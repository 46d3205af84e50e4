"""What the queue says when it has nothing to show: why, and what can be done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from console.services.nights import NightRow
from console.services.queue import QueueFilter
from console.texts import wording
from console.ui import kit

Act = Callable[[], Awaitable[None]]


def no_night(wanted: str) -> None:
    """There is no batch to show: none at all, or not the one that was asked for."""

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


def nothing_left(night: NightRow, wanted: QueueFilter, *, show_all: Act, clear: Act) -> None:
    """No item passes the filter.

    Args:
        show_all: shows what is decided too.
        clear: takes every filter away.
    """
    if night.total == 0:
        kit.empty_state(
            "hourglass_empty", "This night has no images yet", "They appear as the run inspects them."
        )
    elif wanted.narrowed:
        _filtered_away(wanted, clear)
    elif night.flagged == 0:
        kit.empty_state(
            "verified",
            "Nothing was flagged",
            f"All of the {wording.plural(night.total - night.rejected, 'part')} inspected look normal.",
            tone="normal",
        )
    elif wanted.decided:
        kit.empty_state(
            "pending_actions",
            "Nobody has decided anything yet",
            f"{wording.plural(night.undecided, 'item')} to decide.",
            actions=lambda: _clear("Start deciding", clear, "play_arrow"),
        )
    else:
        _done(night, wanted, show_all)


def _filtered_away(wanted: QueueFilter, clear: Act) -> None:
    what = wording.product(wanted.category) if wanted.category else "these filters"
    if wanted.reviewer is not None and wanted.decided is not True:
        text = f"{wanted.reviewer} has no such items. What was decided is under Decided."
    elif wanted.decided is False:
        text = "Nothing that fits waits for a decision. It may be decided already."
    else:
        text = "Choose other filters at the left, or take them all away."
    kit.empty_state(
        "filter_alt_off",
        f"Nothing here for {what}",
        text,
        actions=lambda: _clear("Clear filters", clear, "filter_alt_off"),
    )


def _clear(text: str, clear: Act, icon_name: str) -> None:
    kit.button(text, clear, icon_name=icon_name).mark("clear-filters")


def _done(night: NightRow, wanted: QueueFilter, show_all: Act) -> None:
    text = f"{wording.plural(night.total, 'image')} inspected, {night.flagged:,} flagged, all decided." + (
        f" {wording.plural(night.rejected, 'file')} could not be read." if night.rejected else ""
    )

    def actions() -> None:
        kit.button("Look at them again", show_all, icon_name="visibility").mark("look-again")
        if night.rejected and not wanted.every_night:
            kit.link("Rejected files", f"/rejected?batch={night.key}", "aos-button", "block")

    title = "Done. Every night is decided." if wanted.every_night else "Done. The night is decided."
    kit.empty_state("check_circle", title, text, tone="normal", actions=actions)
