"""The windows in which an engineer decides about an image that is set aside, or a batch that is stopped."""

from __future__ import annotations

from collections.abc import Callable

from nicegui import ui

from anomalyos.accounts.tables import Role
from anomalyos.core.errors import AnomalyOSError
from anomalyos.quality.tables import QuarantinedImage
from console.components.refusal import refuse
from console.components.visitor import reauthorize
from console.container import Services
from console.security.person import Person
from console.services.blocking import run_blocking
from console.services.checks import CheckView
from console.ui import kit
from console.ui.kit import Text, box
from console.ui.theme import Frame

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

            with box("aos-dialog-actions"):
                kit.button("Cancel", window.close).mark("cancel")
                kit.button(word, go, classes="primary").mark("confirm")

    async def _go(self, act: Act, note: str, refused: ui.element, *, required: bool) -> None:
        person = await reauthorize(self._services, self._shell, Role.ENGINEER)
        if person is None:
            return
        if required and not note.strip():
            refuse(refused, "Write a word about why.", "edit_note")
            return
        try:
            await run_blocking(act, person, note)
        except AnomalyOSError as error:
            refuse(refused, str(error))
            return
        url = self._shell.client.request.url
        self._shell.client.open(url.path + (f"?{url.query}" if url.query else ""))
