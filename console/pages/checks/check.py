"""One check as a card, and the windows in which an engineer decides about what it stopped or set aside."""

from __future__ import annotations

from collections.abc import Callable

from nicegui import ui

from anomalyos.accounts.tables import Role
from anomalyos.quality.tables import CheckOutcome, QuarantinedImage
from anomalyos.quality.words import outcome_words, result_words
from console.components.visitor import attempt, reauthorize, refuse
from console.container import Services
from console.security.person import Person
from console.services.checks import CheckView
from console.texts import wording
from console.texts.wording import Label
from console.ui import kit
from console.ui.kit import Text, box
from console.ui.theme import Frame

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


Act = Callable[[Person, str], object]
"""Does it for a person and a note; blocking."""


class Deciding:
    """Asks why, does it, and shows the page anew."""

    def __init__(self, services: Services, shell: Frame) -> None:
        self._services = services
        self._checks = services.checks
        self._shell = shell

    def ask_release(self, image: QuarantinedImage) -> None:
        number = image.id or 0
        self._ask(
            "Learn from this image again?",
            f"{image.file}. {image.reason} The next rebuild uses it.",
            "Release",
            lambda person, note: self._checks.release(person, number, note),
        )

    def ask_keep_out(self, image: QuarantinedImage) -> None:
        number = image.id or 0
        self._ask(
            "Keep this image out for good?",
            f"{image.file}. No later check brings it back; releasing it does.",
            "Keep out",
            lambda person, note: self._checks.keep_out(person, number, note),
        )

    def ask_to_go_on(self, view: CheckView) -> None:
        number = view.row.id or 0
        self._ask(
            "Let this batch go on?",
            f"{view.row.reason} It goes on with the next run.",
            "Let it go on",
            lambda person, note: self._checks.let_go_on(person, number, note),
            required=True,
        )

    def _ask(self, title: str, text: str, word: str, act: Act, *, required: bool = False) -> None:
        with self._shell.dialog(title) as window:
            Text(text, "p", "aos-wrap")
            why = (
                "Why? It is kept in the audit log." if required else "A note for the audit log, if you like."
            )
            note = ui.textarea(why).props("outlined autogrow maxlength=500 autofocus").mark("note")
            refused = box()

            async def go() -> None:
                await self._go(act, str(note.value or ""), refused, required=required)

            kit.dialog_actions(window, word, go, "confirm")

    async def _go(self, act: Act, note: str, refused: ui.element, *, required: bool) -> None:
        if required and not note.strip():
            if await reauthorize(self._services, self._shell, Role.ENGINEER) is not None:
                refuse(refused, "Write a word about why.", "edit_note")
            return
        done = await attempt(self._services, self._shell, Role.ENGINEER, lambda who: act(who, note), refused)
        if not done:
            return
        url = self._shell.client.request.url
        self._shell.client.open(url.path + (f"?{url.query}" if url.query else ""))
