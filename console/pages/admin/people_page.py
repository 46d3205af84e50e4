"""People: who may sign in and with which role; every change can be undone or is asked about first."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar
from urllib.parse import urlencode

from nicegui import ui

from anomalyos.accounts.tables import Role
from console.components.visitor import Visitor, attempt, reauthorize
from console.container import Services
from console.pages.admin.tabs import admin_page, show_once
from console.security.person import Person
from console.services.accounts import PAGE, PersonView
from console.services.blocking import run_blocking
from console.texts import wording
from console.ui import kit
from console.ui.kit import Text, box
from console.ui.theme import Frame

T = TypeVar("T")
ROLES = {
    Role.VIEWER: "looks at everything, decides nothing",
    Role.REVIEWER: "inspects images and decides",
    Role.ENGINEER: "also promotes models and reads the audit log",
    Role.ADMIN: "also manages people and all tokens",
}


async def people(services: Services, visitor: Visitor, q: str = "", offset: int = 0) -> None:
    with admin_page(visitor, "/admin/people") as shell:
        await PeopleView(services, shell, q[:64], offset).draw()


class PeopleView:
    """The list with its search field; redrawn after every change."""

    def __init__(self, services: Services, shell: Frame, text: str, offset: int) -> None:
        self._services = services
        self._admin = services.accounts
        self._shell = shell
        self._text = text
        self._offset = offset
        with box("aos-admin-bar"):
            self._draw_search()
            kit.button("Add a person", self._ask_new, icon_name="person_add", classes="primary").mark(
                "add-person"
            )
        self._rows = box()

    def _draw_search(self) -> None:
        with box("aos-adm-search", "form", method="get", action="/admin/people", role="search"):
            kit.icon("search")
            box(
                "",
                "input",
                type="search",
                name="q",
                maxlength="64",
                placeholder="Find a name",
                aria_label="Find a name",
                value=self._text,
            )

    async def draw(self) -> None:
        found, total, start = await run_blocking(
            self._admin.people, self._shell.person, self._text, self._offset
        )
        with kit.redrawn(self._rows):
            if not found:
                kit.empty_state(
                    "person_search",
                    f"Nobody is called “{self._text}”",
                    "Look for another part of the name.",
                    actions=partial(kit.link, "Everybody", "/admin/people"),
                )
                return
            self._draw_table(found)
            kit.pager(start, len(found), total, PAGE, self._address)

    def _address(self, offset: int) -> str:
        return "/admin/people?" + urlencode({"q": self._text, "offset": offset})

    def _draw_table(self, found: list[PersonView]) -> None:
        with kit.table("", ("Name", "Role", "State", "Since"), actions=True):
            for person in found:
                self._draw_row(person)

    def _draw_row(self, person: PersonView) -> None:
        with box("" if person.active else "off", "tr").mark(f"person-{person.name}"):
            with box("", "th").props("scope=row"):
                Text(person.name)
                if person.name == self._shell.person.name:
                    Text(" (you)", classes="aos-muted")
            with box("", "td"):
                Text(person.role.value.capitalize(), "div")
                Text(ROLES[person.role], "div", "aos-small aos-muted")
            with box("", "td"):
                kit.badge(
                    wording.Label("Active", "check_circle", "normal")
                    if person.active
                    else wording.Label("Switched off", "block", "rejected")
                )
            Text(wording.moment(person.since), "td", "aos-muted aos-nowrap")
            with box("aos-actions", "td"):
                self._draw_actions(person)

    def _draw_actions(self, person: PersonView) -> None:
        kit.button("Role", partial(self._ask_role, person), icon_name="badge", classes="small").mark(
            f"role-{person.name}"
        ).props["aria-label"] = f"Change the role of {person.name}"
        kit.button(
            "Password", partial(self._ask_reset, person), icon_name="lock_reset", classes="small"
        ).mark(f"reset-{person.name}").props["aria-label"] = f"Reset the password of {person.name}"
        word, icon = ("Switch off", "person_off") if person.active else ("Switch on", "how_to_reg")
        kit.button(
            word, partial(self._switch, person.name, not person.active), icon_name=icon, classes="small"
        ).mark(f"switch-{person.name}").props["aria-label"] = f"{word} {person.name}"

    async def _attempt(self, work: Callable[[Person], T], place: ui.element | None = None) -> tuple[T] | None:
        return await attempt(self._services, self._shell, Role.ADMIN, work, place)

    # adding ------------------------------------------------------------------------------------

    def _ask_new(self) -> None:
        with self._shell.dialog("Add a person") as window:
            name = ui.input("Name").props(
                "outlined maxlength=64 autocomplete=off autocapitalize=none autofocus"
            )
            name.mark("new-name")
            Text("Lower-case letters, digits, dots, dashes and underscores.", "p", "aos-small aos-muted")
            role = _role_choice(Role.REVIEWER)
            Text("A password is made up and shown to you once.", "p", "aos-small aos-muted")
            place = box()

            async def add() -> None:
                await self._add(str(name.value or ""), str(role.value), window, place)

            name.on("keydown.enter", add, [])
            kit.dialog_actions(window, "Add", add, "confirm-add")

    async def _add(self, name: str, role: str, window: ui.dialog, place: ui.element) -> None:
        done = await self._attempt(lambda who: self._admin.add_person(who, name, role), place)
        if done is None:
            return
        window.close()
        name = name.strip()
        show_once(
            self._shell, f"The password of {name}", f"Hand it to {name}; they sign in with it.", done[0]
        )
        await self.draw()

    # changing ----------------------------------------------------------------------------------

    def _ask_role(self, person: PersonView) -> None:
        with self._shell.dialog(f"The role of {person.name}") as window:
            role = _role_choice(person.role)
            text = (
                "You will be signed out."
                if person.name == self._shell.person.name
                else "They are signed out."
            )
            Text(f"{text} The new role counts from the next sign-in.", "p", "aos-small aos-muted")
            place = box()

            async def change() -> None:
                if await self._set_role(person.name, person.role.value, str(role.value), place):
                    window.close()

            kit.dialog_actions(window, "Change role", change, "confirm-role")

    async def _set_role(self, name: str, before: str, role: str, place: ui.element | None = None) -> bool:
        if role == before:
            return await reauthorize(self._services, self._shell, Role.ADMIN) is not None
        if not await self._attempt(lambda who: self._admin.set_role(who, name, role), place):
            return False

        async def undo() -> None:
            await self._set_role(name, role, before)

        self._shell.toast(f"{name} is {role} now.", icon_name="badge", undo=undo, seconds=10)
        await self.draw()
        return True

    async def _switch(self, name: str, active: bool) -> None:
        if not await self._attempt(lambda who: self._admin.set_active(who, name, active)):
            return
        text = f"{name} may sign in again." if active else f"{name} is switched off and signed out."
        icon = "how_to_reg" if active else "person_off"
        self._shell.toast(text, icon_name=icon, undo=partial(self._switch, name, not active), seconds=10)
        await self.draw()

    def _ask_reset(self, person: PersonView) -> None:
        with self._shell.dialog(f"A new password for {person.name}?") as window:
            Text(
                "The old password stops working at once and cannot be brought back. "
                f"{person.name} is signed out everywhere.",
                "p",
                "aos-muted",
            )

            async def reset() -> None:
                done = await self._attempt(lambda who: self._admin.reset_password(who, person.name))
                if done is not None:
                    window.close()
                    title = f"The new password of {person.name}"
                    show_once(self._shell, title, f"Hand it to {person.name}; the old one is gone.", done[0])

            kit.dialog_actions(window, "Make a new password", reset, "confirm-reset", "danger")


def _role_choice(chosen: Role) -> ui.radio:
    """One of the four roles, each with what it may do."""
    Text("Role", "h3", "aos-label")
    options = {role.value: f"{role.value.capitalize()}: {meaning}" for role, meaning in ROLES.items()}
    radio = ui.radio(options, value=chosen.value).props("dense aria-label=Role").mark("role-choice")
    return radio.classes("aos-radio")
