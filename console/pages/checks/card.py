"""One check: its outcome, what was asked, and where its whole page is."""

from __future__ import annotations

from collections.abc import Callable

from nicegui import ui

from anomalyos.quality.tables import CheckOutcome
from anomalyos.quality.words import outcome_words, result_words
from console.services.checks import CheckView
from console.ui import kit, wording
from console.ui.kit import Text, box
from console.ui.wording import Label

LABELS = {
    CheckOutcome.PASSED: Label("passed", "check_circle", "normal"),
    CheckOutcome.WARNED: Label("remarks", "info", "unsure"),
    CheckOutcome.SET_ASIDE: Label("some set aside", "inventory_2", "rejected"),
    CheckOutcome.STOPPED: Label("stopped", "block", "defect"),
    CheckOutcome.FAILED: Label("not checked", "error", "defect"),
}


def outcome_badge(outcome: str) -> ui.element:
    return kit.badge(LABELS[CheckOutcome(outcome)])


def draw_check(view: CheckView, title: str, let_go_on: Callable[[CheckView], None] | None) -> ui.element:
    """A card; what is drawn in the returned element stands below the rules."""
    row = view.row
    with box("aos-card aos-check").mark(f"check-{row.category or 'unrouted'}") as card:
        with box("aos-check-head"):
            with box("grow"):
                with box("aos-check-title"):
                    Text(title, "h3")
                    outcome_badge(row.outcome)
                Text(outcome_words(row.outcome, row.released_by), "p")
                if row.reason:
                    Text(row.reason, "p", "aos-check-reason")
                when = f"{wording.plural(row.images, 'image')}, {wording.moment(row.checked_at)}"
                Text(when, "p", "aos-small aos-muted")
            if view.stops and let_go_on is not None:
                kit.button("Let it go on", lambda: let_go_on(view), icon_name="play_arrow").mark("let-go-on")
            if row.page_path:
                kit.link(
                    "Whole page",
                    f"/export/check/{row.id}.html",
                    "aos-button",
                    "description",
                    target="_blank",
                    rel="noopener",
                )
        _draw_rules(view)
    return card


def _draw_rules(view: CheckView) -> None:
    failed = [result for result in view.row.results if not result["passed"]]
    stopped = {(result["section"], result["title"]) for result in failed if result["tolerated"] is not None}
    shown = [
        result
        for result in failed
        if result["tolerated"] is not None or (result["section"], result["title"]) not in stopped
    ]
    if not view.row.results:
        return
    passed = len(view.row.results) - len(failed)
    with box("aos-rules", "ul"):
        for result in shown:
            words = result_words(result)
            with box("", "li"):
                kit.icon("priority_high")
                Text(words["name"], "b")
                Text(f"{words['words']} ({words['section']}): {words['means']}.", classes="aos-muted")
        with box("", "li"):
            kit.icon("check")
            Text(f"{passed} of {len(view.row.results)} expectations are met.", classes="aos-muted")
