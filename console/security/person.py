"""Who acts, and what a role may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from anomalyos.accounts.tables import Role
from anomalyos.core.errors import NotAllowed

ROLE_ORDER = tuple(Role)


def at_least(role: Role | str, least: Role) -> bool:
    """Whether ``role`` may do what ``least`` may."""
    return ROLE_ORDER.index(Role(role)) >= ROLE_ORDER.index(least)


@dataclass(frozen=True)
class Person:
    """The actor behind a page, an action or a REST call."""

    user_id: int
    name: str
    role: Role

    def may(self, role: Role) -> bool:
        """Whether the person's role is at least ``role``."""
        return at_least(self.role, role)


class Actor(Protocol):
    """Who acts: a signed-in person or the owner of a token."""

    @property
    def name(self) -> str: ...

    @property
    def role(self) -> Role: ...


def require(actor: Actor, role: Role) -> None:
    """Refuse ``actor`` unless its role is at least ``role``.

    Raises:
        NotAllowed: naming the role it takes.
    """
    if not at_least(actor.role, role):
        raise NotAllowed(
            f"This needs the role {role.value}; you are signed in as {Role(actor.role).value}.",
            "Ask an administrator for the role, or sign in with another account.",
        )
