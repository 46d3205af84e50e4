"""Promoting and rolling back: compared side by side, with a reason, and with a way back afterwards."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from anomalyos.accounts.tables import Role
from anomalyos.core.errors import AnomalyOSError, BundleError
from anomalyos.models import promotions
from console.components.refusal import refuse
from console.components.visitor import reauthorize
from console.container import Services
from console.pages.admin.version_table import draw_comparison
from console.security.person import Person
from console.services.blocking import run_blocking
from console.services.models import Moved, ProductView, VersionView
from console.ui import kit, wording
from console.ui.kit import Text, box
from console.ui.theme import Frame

Act = Callable[[Person, str], Moved]
"""Moves a pointer for a person and a reason; blocking."""


class Moving:
    """The windows that move a product's pointer."""

    def __init__(
        self,
        services: Services,
        shell: Frame,
        moved: Callable[[Moved], Awaitable[None]],
    ) -> None:
        """``moved`` is awaited after every move, to redraw."""
        self._services = services
        self._models = services.models
        self._shell = shell
        self._after = moved

    def ask_promotion(self, view: ProductView, version: VersionView) -> None:
        def act(person: Person, reason: str) -> Moved:
            return self._models.promote(person, view.name, version.version, reason, view.pointer)

        name = wording.product(view.name)
        self._ask(
            f"Let v{version.version} inspect {name}?",
            f"Promote v{version.version}",
            view,
            version,
            act,
            warning=f"The gate refused this version: {version.gate_reason}"
            if version.gate_passed is False
            else "",
        )

    def ask_rollback(self, view: ProductView) -> None:
        if view.earlier is None:
            self._shell.toast("There is no earlier version to return to.", icon_name="info")
            return

        def act(person: Person, reason: str) -> Moved:
            return self._models.roll_back(person, view.name, reason, view.pointer)

        title = f"Return {wording.product(view.name)} to v{view.earlier.version}?"
        self._ask(title, f"Roll back to v{view.earlier.version}", view, view.earlier, act)

    def _ask(
        self,
        title: str,
        word: str,
        view: ProductView,
        version: VersionView,
        act: Act,
        warning: str = "",
    ) -> None:
        with self._shell.dialog(title, wide=True) as window:
            draw_comparison(view.champion, version)
            if warning:
                kit.notice(warning, "defect", "block").mark("gate-warning")
            reason = ui.textarea("Why? It is kept in the audit log.").props(
                "outlined autogrow maxlength=500 autofocus"
            )
            reason.mark("reason")
            Text(
                "Open pages follow at once. Decisions already made stay as they are.",
                "p",
                "aos-small aos-muted",
            )
            refused = box()

            async def go() -> None:
                await self._go(act, str(reason.value or ""), window, refused)

            with box("aos-dialog-actions"):
                kit.button("Cancel", window.close).mark("cancel")
                kit.button(word, go, classes="primary").mark("confirm-move")

    async def _go(self, act: Act, reason: str, window: ui.dialog, refused: ui.element) -> None:
        person = await reauthorize(self._services, self._shell, Role.ENGINEER)
        if person is None:
            return
        refused.clear()
        if not reason.strip():
            refuse(refused, "Write a word about why.", "edit_note")
            return
        try:
            moved = await run_blocking(act, person, reason)
        except BundleError as error:
            refuse(
                refused,
                f"{error.message} It was not put in use. Choose another version, or rebuild it.",
                "block",
            )
            return
        except AnomalyOSError as error:
            refuse(refused, str(error), "error")
            return
        window.close()
        await self._done(moved)

    async def _done(self, moved: Moved) -> None:
        async def undo() -> None:
            await self._take_back(moved)

        back = moved.kind == promotions.ROLLBACK
        name = wording.product(moved.product)
        text = (
            f"{name} is back on v{moved.version}."
            if back
            else f"{name} is inspected with v{moved.version} now."
        )
        self._shell.toast(
            text,
            icon_name="history" if back else "upgrade",
            undo=undo if moved.previous is not None else None,
            seconds=20,
        )
        await self._after(moved)

    async def _take_back(self, moved: Moved) -> None:
        person = await reauthorize(self._services, self._shell, Role.ENGINEER)
        if person is None:
            return
        try:
            taken = await run_blocking(self._models.take_back, person, moved)
        except AnomalyOSError as error:
            self._shell.toast(str(error), icon_name="error", seconds=10)
            return
        name = wording.product(moved.product)
        self._shell.toast(f"Taken back: {name} is on v{taken.version} again.", icon_name="undo")
        await self._after(taken)
