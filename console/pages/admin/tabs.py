"""What the pages of Admin share: title, tabs, how a refusal is said, and a secret shown once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from starlette.responses import RedirectResponse

from anomalyos.accounts.tables import Role
from console.components.visitor import Visitor
from console.container import Services
from console.ui import kit
from console.ui.kit import Text, box
from console.ui.theme import Frame, frame


def show_once(shell: Frame, title: str, text: str, secret: str) -> None:
    """A window that only its button closes, so that a stray click does not lose the secret."""

    async def copy() -> None:
        done = await shell.client.run_javascript(f"return aos.copy({json.dumps(secret)})", timeout=3)
        said.set_text("Copied." if done else "Copying is not allowed here. Select it and copy it by hand.")

    with shell.dialog(title, persistent=True) as window:
        Text(text, "p", "aos-muted")
        with box("aos-once"):
            Text(secret, "code").mark("secret")
            kit.button("Copy", copy, icon_name="content_copy", classes="small").mark("copy-secret")
        said = Text(
            "It is shown only now and cannot be looked up later.", "p", "aos-small aos-muted", role="status"
        )
        with box("aos-dialog-actions"):
            kit.button("I have kept it", window.close, classes="primary").mark("secret-kept")


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
def admin_page(visitor: Visitor, path: str) -> Iterator[Frame]:
    """The shell of one tab."""
    tab = next(tab for tab in TABS if tab.path == path)
    person = visitor.person
    with (
        frame(tab.name, person, mode="/admin", open_items=visitor.open_items) as shell,
        box("aos-page aos-admin"),
    ):
        with box("aos-admin-head"):
            with box():
                Text(tab.name, "h1", "aos-title")
                Text(tab.subtitle, "p", "aos-subtitle")
            with box("aos-segments", "nav", aria_label="Parts of Admin"):
                for other in TABS:
                    if person.may(other.role):
                        kit.segment(other.name, other.path, active=other is tab)
        yield shell


def refused(visitor: Visitor, path: str, role: Role) -> None:
    """One tab to somebody whose role does not suffice."""
    name = next(tab.name for tab in TABS if tab.path == path)
    person = visitor.person
    with frame(name, person, mode="/admin", open_items=visitor.open_items), box("aos-page aos-admin"):
        Text(name, "h1", "aos-title")
        kit.empty_state(
            "lock",
            "Not for your role",
            f"This needs the role {role.value}; yours is {person.role.value}. "
            "An administrator can change it.",
            actions=_ways_out,
        )


def _ways_out() -> None:
    kit.link("To the queue", "/", "aos-button primary")
    kit.link("My API tokens", "/tokens", "aos-button", "key")


async def first_tab(services: Services) -> RedirectResponse:
    """Every tab has an address of its own; a refusal is shown there too."""
    return RedirectResponse("/admin/models", status_code=303)
