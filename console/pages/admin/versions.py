"""A product's versions: their figures, two side by side, promoting one and rolling back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from anomalyos.accounts.tables import Role
from anomalyos.core.errors import AnomalyOSError, BundleError
from anomalyos.models import promotions
from console.components.visitor import attempt, reauthorize, refuse
from console.container import Services
from console.security.person import Person
from console.services.blocking import run_blocking
from console.services.models import Moved, ProductView, VersionView
from console.texts import links, wording
from console.ui import kit
from console.ui.kit import Text, box
from console.ui.theme import Frame

GATE = {
    True: wording.Label("Passed", "check_circle", "normal"),
    False: wording.Label("Refused", "block", "defect"),
    None: wording.Label("Not judged", "help", "rejected"),
}
_TITLES = ("Version", "Image AUROC", "AUPRO", "False alarms", "Size", "Gate")


Promote = Callable[[ProductView, VersionView], None]
"""Asks whether a version shall be put in use."""


def draw_versions(view: ProductView, promote: Promote) -> None:
    with kit.table("aos-versions", _TITLES, actions=True):
        for version in view.versions:
            _draw_row(view, version, promote)


def _draw_row(view: ProductView, version: VersionView, promote: Promote) -> None:
    with box("in-use" if version.in_use else "", "tr").mark(f"version-{version.version}"):
        with box("", "th").props("scope=row"):
            Text(f"v{version.version}", "div", "aos-version")
            kit.link(
                version.recipe,
                links.recipe_choice(view.name, version.version, view.offset),
                "aos-adm-link aos-small",
                aria_label=f"{version.recipe}: why v{version.version} has this recipe",
            ).mark(f"why-{version.version}")
            Text(wording.moment(version.made), "div", "aos-small aos-muted aos-nowrap")
        Text(figure(version.image_auroc), "td")
        Text(figure(version.aupro), "td")
        with box("", "td"):
            Text(alarms(version), "div")
            if version.false_alarms is not None:
                Text(f"promised {version.false_alarms.promised:.1%}", "div", "aos-small aos-muted")
        Text(size(version.bytes), "td", "aos-nowrap")
        with box("aos-gate", "td"):
            kit.badge(GATE[version.gate_passed])
            Text(version.gate_reason, "div", "aos-small aos-muted aos-wrap")
        with box("aos-actions", "td"):
            if version.in_use:
                kit.badge(wording.Label("In use", "verified", "accent"))
            else:
                kit.button(
                    "Promote", lambda: promote(view, version), icon_name="upgrade", classes="small"
                ).mark(f"promote-{version.version}").props["aria-label"] = f"Promote v{version.version}"


def draw_comparison(present: VersionView | None, other: VersionView) -> None:
    """``other`` beside the version in use, with the difference in words where both were measured."""
    with box("aos-adm-table-wrap"), box("aos-adm-table aos-compare", "table"):
        with box("", "thead"), box("", "tr"):
            Text("", "td")
            Text(f"v{present.version} (in use)" if present else "Nothing in use", "th").props("scope=col")
            Text(f"v{other.version}", "th").props("scope=col")
            Text("Difference", "th").props("scope=col")
        with box("", "tbody"):
            _compare("Image AUROC", present, other, lambda v: figure(v.image_auroc), lambda v: v.image_auroc)
            _compare("AUPRO", present, other, lambda v: figure(v.aupro), lambda v: v.aupro)
            _compare("False alarms", present, other, alarms, _alarm_share, less_is_better=True)
            _compare("Size", present, other, lambda v: size(v.bytes), None)
            _compare("Recipe", present, other, lambda v: v.recipe, None)
    if present is not None and present.test_hash != other.test_hash:
        kit.notice(
            "The two were measured on different test images, so their figures do not compare.",
            "unsure",
            "warning",
        )


def _compare(
    title: str,
    present: VersionView | None,
    other: VersionView,
    shown: Callable[[VersionView], str],
    measured: Callable[[VersionView], float | None] | None,
    *,
    less_is_better: bool = False,
) -> None:
    with box("", "tr"):
        Text(title, "th").props("scope=row")
        Text(shown(present) if present else "–", "td")
        Text(shown(other), "td")
        with box("", "td"):
            before = measured(present) if measured and present else None
            after = measured(other) if measured else None
            if before is None or after is None:
                Text("–", classes="aos-muted")
            else:
                _difference(after - before, less_is_better=less_is_better)


def _difference(change: float, *, less_is_better: bool) -> None:
    if abs(change) < 5e-5:
        kit.badge(wording.Label("the same", "drag_handle", "rejected"))
        return
    better = (change < 0) == less_is_better
    word = f"{abs(change):.4f} {'better' if better else 'worse'}"
    icon = "trending_up" if better else "trending_down"
    kit.badge(wording.Label(word, icon, "normal" if better else "defect"))


def figure(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.4f}"


def alarms(version: VersionView) -> str:
    """``2 of 60`` normal test images; in words when none were there to count."""
    measured = version.false_alarms
    return "not measured" if measured is None else f"{measured.hits} of {measured.of}"


def _alarm_share(version: VersionView) -> float | None:
    measured = version.false_alarms
    return None if measured is None else measured.hits / measured.of


def size(count: int | None) -> str:
    if count is None:
        return "files missing"
    return f"{count / 2**20:.1f} MB" if count >= 2**20 else f"{count / 2**10:.0f} kB"


Act = Callable[[Person, str], Moved]
"""Moves a pointer for a person and a reason; blocking."""


class Moving:
    """The windows that move a product's pointer."""

    def __init__(self, services: Services, shell: Frame, moved: Callable[[Moved], Awaitable[None]]) -> None:
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
        self, title: str, word: str, view: ProductView, version: VersionView, act: Act, warning: str = ""
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

            kit.dialog_actions(window, word, go, "confirm-move")

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
            text = f"{error.message} It was not put in use. Choose another version, or rebuild it."
            refuse(refused, text, "block")
        except AnomalyOSError as error:
            refuse(refused, str(error))
        else:
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
        done = await attempt(
            self._services, self._shell, Role.ENGINEER, lambda who: self._models.take_back(who, moved)
        )
        if done is None:
            return
        (taken,) = done
        name = wording.product(moved.product)
        self._shell.toast(f"Taken back: {name} is on v{taken.version} again.", icon_name="undo")
        await self._after(taken)
