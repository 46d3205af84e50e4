"""What admins ask and do about people, what everybody does about their own tokens, and the audit log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from anomalyos.accounts import audit, tokens, users
from anomalyos.accounts import rules as auth
from anomalyos.accounts.audit import AuditFilter
from anomalyos.accounts.tables import ApiToken, AuditEvent, Role, User
from anomalyos.core.errors import AnomalyOSError, NotAllowed
from anomalyos.db.engine import Store
from anomalyos.db.rows import stored_id
from console.security.person import Actor, Person, require
from console.services.csv_table import Cell

PAGE = 25
LOG_PAGE = 50
_LONGEST = 200
LOG_HEADER = ("id", "when (UTC)", "actor", "action", "subject", "detail")


@dataclass(frozen=True)
class PersonView:
    name: str
    role: Role
    active: bool
    since: datetime


@dataclass(frozen=True)
class TokenView:
    """A token without its secret, which nobody knows any more."""

    id: int
    owner: str
    name: str
    scopes: tuple[str, ...]
    made: datetime
    expires: datetime | None
    state: str
    """``works``, ``expired`` or ``revoked``."""


@dataclass(frozen=True)
class LogQuestion:
    """Filters of the audit log as its address has them: what cannot be read asks for nothing."""

    actor: str = ""
    action: str = ""
    subject: str = ""
    since: str = ""
    """First day, ``2026-11-24``, UTC."""
    until: str = ""
    """Last day, inclusive."""

    @classmethod
    def read(cls, *parts: str) -> LogQuestion:
        """From the five parts of an address, in the order of the fields."""
        return cls(*(part.strip()[:_LONGEST] for part in parts))

    def filter(self) -> AuditFilter:
        return AuditFilter(
            actor=_storable(self.actor),
            action=_storable(self.action),
            subject=_storable(self.subject),
            since=_day(self.since),
            until=_day(self.until, plus=1),
        )

    def query(self) -> dict[str, str]:
        """The filters that ask for something, for an address."""
        named = {
            "actor": self.actor,
            "action": self.action,
            "subject": self.subject,
            "since": self.since,
            "until": self.until,
        }
        return {name: value for name, value in named.items() if value}


@dataclass(frozen=True)
class LogPage:
    events: list[AuditEvent]
    total: int
    newer: int | None
    """``after`` of the page of newer events, None on the newest."""
    older: int | None
    """``before`` of the page of older events, None on the oldest."""


class AccountService:
    """Blocking, safe to call from threads; every call checks the actor's role."""

    def __init__(self, store: Store) -> None:
        self.store = store

    # people ------------------------------------------------------------------------------------

    def people(self, actor: Actor, text: str = "", offset: int = 0) -> tuple[list[PersonView], int, int]:
        """A page of people whose name contains ``text``, how many there are, and where the page starts."""
        require(actor, Role.ADMIN)
        text = _storable(text)
        with self.store.session(read_only=True) as session:
            total = users.count(session, text)
            offset = _within(offset, total, PAGE)
            rows = users.page(session, text=text, limit=PAGE, offset=offset)
        return [_person(row) for row in rows], total, offset

    def add_person(self, actor: Actor, name: str, role: str) -> str:
        """The new person's password, which is stored nowhere: show it once.

        Raises:
            NotAllowed, Conflict, AnomalyOSError: as ``users.create``.
        """
        require(actor, Role.ADMIN)
        password = auth.generate_password()
        with self.store.session() as session:
            users.create(session, name=name.strip(), password=password, role=role, actor=actor.name)
        return password

    def set_role(self, actor: Actor, name: str, role: str) -> None:
        """Change what a person may do; their sessions end. Raises Conflict for the last administrator."""
        require(actor, Role.ADMIN)
        with self.store.session() as session:
            users.set_role(session, name=name, role=role, actor=actor.name)

    def set_active(self, actor: Actor, name: str, active: bool) -> None:
        """Let a person in or shut them out; raises Conflict for the last administrator."""
        require(actor, Role.ADMIN)
        with self.store.session() as session:
            users.set_active(session, name=name, active=active, actor=actor.name)

    def reset_password(self, actor: Actor, name: str) -> str:
        """A person's new password, which is stored nowhere; their sessions end."""
        require(actor, Role.ADMIN)
        password = auth.generate_password()
        with self.store.session() as session:
            users.set_password(session, name=name, password=password, actor=actor.name)
        return password

    # tokens ------------------------------------------------------------------------------------

    def tokens(self, actor: Person, *, everybody: bool, offset: int = 0) -> tuple[list[TokenView], int, int]:
        """A page of tokens, how many there are, and where the page starts; those of others need an admin."""
        if everybody:
            require(actor, Role.ADMIN)
        owner = None if everybody else actor.user_id
        with self.store.session(read_only=True) as session:
            total = tokens.count(session, owner)
            offset = _within(offset, total, PAGE)
            rows = tokens.page(session, user_id=owner, limit=PAGE, offset=offset)
        return [_token(row, name) for row, name in rows], total, offset

    def create_token(self, actor: Person, name: str, scopes: Iterable[str], days: int) -> str:
        """A token of the actor's own, which cannot be shown again; raises as ``tokens.create`` does."""
        with self.store.session() as session:
            _, plain = tokens.create(
                session,
                user_id=actor.user_id,
                name=name,
                scopes=scopes,
                expires_in_days=days,
                actor=actor.name,
            )
        return plain

    def revoke_token(self, actor: Person, token_id: int) -> None:
        """End a token now.

        Raises:
            NotFound: there is no such token.
            NotAllowed: it is somebody else's, and the actor is no admin.
        """
        with self.store.session() as session:
            if tokens.get(session, token_id).user_id != actor.user_id and not actor.may(Role.ADMIN):
                raise NotAllowed("This is somebody else's token.", "An administrator can revoke it.")
            tokens.revoke(session, token_id=token_id, actor=actor.name)

    # audit log ---------------------------------------------------------------------------------

    def log(
        self, actor: Actor, asked: LogQuestion, *, before: int | None = None, after: int | None = None
    ) -> LogPage:
        """One page of the audit log, newest first."""
        require(actor, Role.ENGINEER)
        wanted = asked.filter()
        with self.store.session(read_only=True) as session:
            found = audit.search(session, wanted, limit=LOG_PAGE, before_id=before, after_id=after)
            if after is not None and len(found) < LOG_PAGE:
                # the newest page is always a full one
                found = audit.search(session, wanted, limit=LOG_PAGE)
            newer = older = None
            if found:
                first, last = stored_id(found[0].id), stored_id(found[-1].id)
                newer = first if audit.search(session, wanted, limit=1, after_id=first) else None
                older = last if audit.search(session, wanted, limit=1, before_id=last) else None
            return LogPage(found, audit.count(session, wanted), newer, older)

    def log_actions(self, actor: Actor) -> list[str]:
        require(actor, Role.ENGINEER)
        with self.store.session(read_only=True) as session:
            return audit.actions(session)

    def export_log(self, actor: Actor, asked: LogQuestion) -> Iterator[tuple[Cell, ...]]:
        """Rows under ``LOG_HEADER``, read while they are sent; that somebody took them is recorded first."""
        require(actor, Role.ENGINEER)
        with self.store.session() as session:
            audit.write(
                session, actor=actor.name, action="audit.export", subject="audit", detail=dict(asked.query())
            )
        return self._rows(asked.filter())

    def _rows(self, wanted: AuditFilter) -> Iterator[tuple[Cell, ...]]:
        with self.store.session(read_only=True) as session:
            for event in audit.walk(session, wanted):
                yield (
                    event.id,
                    event.created_at,
                    event.actor,
                    event.action,
                    event.subject,
                    detail_text(event),
                )


def detail_text(event: AuditEvent) -> str:
    """The facts of an event in one line: ``from v2, to v3, reason: …`` without braces and quotes."""
    return " · ".join(
        f"{name.replace('_', ' ')}: {_plain(value)}"
        for name, value in event.detail.items()
        if value not in (None, "", [], {})
    )


def _plain(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(str(part) for part in value)
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)


def _person(row: User) -> PersonView:
    return PersonView(row.name, Role(row.role), row.active, row.created_at)


def _token(row: ApiToken, owner: str) -> TokenView:
    state = "works" if tokens.is_live(row) else "revoked" if row.revoked_at is not None else "expired"
    return TokenView(
        stored_id(row.id), owner, row.name, tuple(row.scopes), row.created_at, row.expires_at, state
    )


def _within(offset: int, total: int, page: int) -> int:
    """The start of the page that holds ``offset``, the last page's when there are fewer."""
    return max(0, min(offset, total - 1)) // page * page if total else 0


def _day(text: str, plus: int = 0) -> datetime | None:
    """The first moment of a day, or of the one ``plus`` days later; None for what is no day."""
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC) + timedelta(days=plus)
    except (ValueError, OverflowError):
        return None


def _storable(text: str) -> str:
    """What no name can hold is left out: PostgreSQL refuses even to look for it."""
    return text.replace("\0", "").encode("utf-8", "ignore").decode("utf-8").strip()[:200]


def days_of(text: object) -> int:
    """Days a token shall live, as somebody typed them.

    Raises:
        AnomalyOSError: for anything but a whole number of days a token may live.
    """
    try:
        days = int(str(text))
    except ValueError:
        days = 0
    if not 1 <= days <= tokens.MAX_DAYS:
        raise AnomalyOSError(f"A token lives 1 to {tokens.MAX_DAYS} days.")
    return days
