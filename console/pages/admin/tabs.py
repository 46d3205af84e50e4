"""What the pages of Admin share: the title, the tabs the role may open, and how a refusal is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from nicegui import ui

from anomalyos.accounts.tables import Role
from anomalyos.core.errors import AnomalyOSError
from console.security.visitor import Visit
from console.services.blocking import run_blocking
from console.ui import kit
from console.ui.kit import Text, box
from console.ui.theme import Frame, frame

T = TypeVar("T")


@dataclass(frozen=True)
class Tab:
    name: str
    path: str
    role: Role
    subtitle: str


TABS = (
    Tab(
        "Models",
        "/admin/models",
        Role.ENGINEER,
        "Which version inspects, what the gate said of the others, and the way back.",
    ),
    Tab(
        "Retraining",
        "/admin/retraining",
        Role.ENGINEER,
        "Challengers are built, compared with what inspects, and promoted only past the gate.",
    ),
    Tab("People", "/admin/people", Role.ADMIN, "Who may sign in, and what each may do."),
    Tab(
        "API tokens",
        "/admin/tokens",
        Role.ADMIN,
        "Keys with which other programs call AnomalyOS in somebody's name.",
    ),
    Tab("Audit log", "/admin/audit", Role.ENGINEER, "Who did what to what. Nothing here can be changed."),
)


@contextmanager
def admin_page(visitor: Visit, path: str) -> Iterator[Frame | None]:
    """The shell of one tab; yields None after saying so when the visitor's role does not suffice."""
    tab = next(tab for tab in TABS if tab.path == path)
    person = visitor.person
    with (
        frame(tab.name, person, mode="/admin", open_items=visitor.open_items) as shell,
        box("aos-page aos-admin"),
    ):
        if not person.may(tab.role):
            Text(tab.name, "h1", "aos-title")
            kit.empty_state(
                "lock",
                "Not for your role",
                f"This needs the role {tab.role.value}; yours is {person.role.value}. "
                "An administrator can change it.",
                actions=_ways_out,
            )
            yield None
            return
        with box("aos-admin-head"):
            with box():
                Text(tab.name, "h1", "aos-title")
                Text(tab.subtitle, "p", "aos-subtitle")
            with box("aos-segments", "nav", aria_label="Parts of Admin"):
                for other in TABS:
                    if person.may(other.role):
                        kit.segment(other.name, other.path, active=other is tab)
        yield shell


def _ways_out() -> None:
    kit.link("To the queue", "/", "aos-button primary")
    kit.link("My API tokens", "/tokens", "aos-button", "key")


async def attempt(shell: Frame, work: Callable[[], T], place: ui.element | None = None) -> T | None:
    """What ``work`` returns, done off the loop; None after a refusal was said.

    Args:
        place: where in an open window the refusal is said; a toast says it without one.
    """
    if place is not None:
        place.clear()
    try:
        return await run_blocking(work)
    except AnomalyOSError as error:
        if place is None:
            shell.toast(str(error), icon_name="error", seconds=10)
        else:
            refuse(place, str(error))
        return None


def refuse(place: ui.element, text: str, icon_name: str = "error") -> None:
    """Say in an open window why nothing was done."""
    place.clear()
    with place:
        kit.notice(text, "defect", icon_name).mark("refused")
