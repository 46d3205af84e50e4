"""API tokens: everybody's own under /tokens, those of all people under Admin."""

from __future__ import annotations

from functools import partial

from nicegui import ui

from anomalyos.accounts.tables import Role, Scope
from console.components.visitor import Visitor, attempt
from console.container import Services
from console.pages.admin.tabs import admin_page, show_once
from console.security.person import Person
from console.services.accounts import PAGE, TokenView, days_of
from console.services.blocking import run_blocking
from console.texts import wording
from console.ui import kit
from console.ui.kit import Text, box
from console.ui.theme import Frame, frame

SCOPES = {
    Scope.READ: "Read: look up inspections and figures",
    Scope.INSPECT: "Inspect: send images and decisions; needs the role reviewer",
    Scope.RETRAIN: "Retrain: start and follow retraining; needs the role engineer",
}
DAYS = 90
STATES = {
    "works": wording.Label("Works", "check_circle", "normal"),
    "expired": wording.Label("Expired", "schedule", "unsure"),
    "revoked": wording.Label("Revoked", "block", "rejected"),
}


async def own(services: Services, visitor: Visitor, offset: int = 0) -> None:
    person = visitor.person
    with frame("My API tokens", person, open_items=visitor.open_items) as shell, box("aos-page aos-admin"):
        Text("My API tokens", "h1", "aos-title")
        Text(
            "Keys with which other programs call AnomalyOS in your name. "
            "A token can never do more than you may.",
            "p",
            "aos-subtitle",
        )
        await TokensView(services, shell, everybody=False, offset=offset).draw()


async def all_tokens(services: Services, visitor: Visitor, offset: int = 0) -> None:
    with admin_page(visitor, "/admin/tokens") as shell:
        await TokensView(services, shell, everybody=True, offset=offset).draw()


class TokensView:
    """A list of tokens, redrawn after every change."""

    def __init__(self, services: Services, shell: Frame, *, everybody: bool, offset: int) -> None:
        self._services = services
        self._admin = services.accounts
        self._shell = shell
        self._everybody = everybody
        self._offset = offset
        with box("aos-admin-bar"):
            kit.link("REST reference", "/docs", "aos-button", "api").props["target"] = "_blank"
            kit.button("Create a token", self._ask_new, icon_name="add", classes="primary").mark("new-token")
        self._rows = box()

    async def draw(self) -> None:
        found, total, start = await run_blocking(
            self._admin.tokens, self._shell.person, everybody=self._everybody, offset=self._offset
        )
        with kit.redrawn(self._rows):
            if not found:
                kit.empty_state(
                    "key", "No token yet", "A camera or a script needs one to send images or to read results."
                )
                return
            self._draw_table(found)
            path = "/admin/tokens" if self._everybody else "/tokens"
            kit.pager(start, len(found), total, PAGE, lambda offset: f"{path}?offset={offset}")

    def _draw_table(self, found: list[TokenView]) -> None:
        titles = ("Name", *(("Owner",) if self._everybody else ()), "May", "State", "Made", "Expires")
        with kit.table("", titles, actions=True):
            for token in found:
                self._draw_row(token)

    def _draw_row(self, token: TokenView) -> None:
        with box("" if token.state == "works" else "off", "tr").mark(f"token-{token.id}"):
            Text(token.name, "th", "aos-wrap").props("scope=row")
            if self._everybody:
                Text(token.owner, "td")
            Text(", ".join(token.scopes), "td")
            with box("", "td"):
                kit.badge(STATES[token.state])
            Text(wording.moment(token.made), "td", "aos-muted aos-nowrap")
            Text(wording.moment(token.expires) if token.expires else "never", "td", "aos-muted aos-nowrap")
            with box("aos-actions", "td"):
                if token.state == "works":
                    kit.button(
                        "Revoke", partial(self._ask_revoke, token), icon_name="block", classes="small"
                    ).mark(f"revoke-{token.id}").props["aria-label"] = f"Revoke {token.name}"

    # creating ----------------------------------------------------------------------------------

    def _ask_new(self) -> None:
        with self._shell.dialog("Create a token") as window:
            name = ui.input("What it is for").props("outlined maxlength=64 autocomplete=off autofocus")
            name.mark("token-name")
            with box("aos-choices", "fieldset"):
                Text("What it may do", "legend", "aos-label")
                boxes = {
                    scope: ui.checkbox(text, value=scope is Scope.READ).mark(f"scope-{scope.value}")
                    for scope, text in SCOPES.items()
                }
            boxes[Scope.INSPECT].set_enabled(self._shell.person.may(Role.REVIEWER))
            boxes[Scope.RETRAIN].set_enabled(self._shell.person.may(Role.ENGINEER))
            days = ui.number("Days until it expires", value=DAYS, min=1, max=3650, precision=0)
            days.props("outlined").mark("token-days")
            place = box()

            async def create() -> None:
                chosen = [scope.value for scope, box_ in boxes.items() if box_.value]
                if await self._create(str(name.value or ""), chosen, days.value, place):
                    window.close()

            kit.dialog_actions(window, "Create", create, "confirm-token")

    async def _create(self, name: str, scopes: list[str], days: object, place: ui.element) -> bool:
        def create(person: Person) -> tuple[str, int]:
            lifetime = days_of(int(days) if isinstance(days, float) else days)
            return self._admin.create_token(person, name, scopes, lifetime), lifetime

        done = await attempt(self._services, self._shell, Role.VIEWER, create, place)
        if done is None:
            return False
        plain, lifetime = done[0]
        show_once(
            self._shell,
            "Your new token",
            f"It works for {wording.plural(lifetime, 'day')}. Send it as “Authorization: Bearer TOKEN”.",
            plain,
        )
        await self.draw()
        return True

    # revoking ----------------------------------------------------------------------------------

    def _ask_revoke(self, token: TokenView) -> None:
        with self._shell.dialog(f"Revoke “{token.name}”?") as window:
            Text(
                "Programs that use it are refused from now on. A revoked token cannot be brought back.",
                "p",
                "aos-muted",
            )

            async def revoke() -> None:
                if await self._revoke(token):
                    window.close()

            kit.dialog_actions(window, "Revoke", revoke, "confirm-revoke", "danger")

    async def _revoke(self, token: TokenView) -> bool:
        def end(person: Person) -> None:
            self._admin.revoke_token(person, token.id)

        if not await attempt(self._services, self._shell, Role.VIEWER, end):
            return False
        self._shell.toast(f"“{token.name}” is revoked.", icon_name="block")
        await self.draw()
        return True
