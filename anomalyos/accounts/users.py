"""People who may sign in."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from anomalyos.accounts import audit
from anomalyos.accounts import rules as auth
from anomalyos.accounts.tables import Role, User
from anomalyos.core.errors import Conflict, NotFound
from anomalyos.db.rows import by_id, get_or_create

FIRST_ADMIN = "admin"


def create(session: Session, *, name: str, password: str, role: str, actor: str) -> User:
    """Add a user.

    Raises:
        Conflict: the name is taken.
        AnomalyOSError: the name, the role or the password cannot be accepted.
    """
    auth.check_user_name(name)
    auth.check_password(password, name)
    parsed = auth.parse_role(role)
    row = User(name=name, password_hash=auth.hash_password(password), role=parsed.value)
    user, created = get_or_create(session, row, lambda: find(session, name))
    if not created:
        raise Conflict(f"There is a user {name!r} already.", "Choose another name.")
    audit.write(
        session, actor=actor, action="user.create", subject=f"user:{name}", detail={"role": parsed.value}
    )
    return user


def authenticate(session: Session, name: str, password: str) -> User | None:
    """The active user with this name and password, else None.

    Unknown, disabled and mistaken all cost one password check, so the time tells nothing. A
    hash made with older parameters is renewed, unless the session is read-only.
    """
    dummy = auth.dummy_hash()
    user = find(session, name)
    fits = auth.password_matches(user.password_hash if user else dummy, password)
    if user is None or not user.active or not fits:
        return None
    if auth.needs_rehash(user.password_hash) and not session.info.get("read_only"):
        user.password_hash = auth.hash_password(password)
        session.flush()
    return user


def set_password(session: Session, *, name: str, password: str, actor: str) -> User:
    """Replace the password; every session the user has ends."""
    user = by_name(session, name, lock=True)
    auth.check_password(password, name)
    user.password_hash = auth.hash_password(password)
    return _changed(session, user, actor, "user.set_password")


def set_role(session: Session, *, name: str, role: str, actor: str) -> User:
    """Change the role; every session the user has ends.

    Raises:
        Conflict: nobody else could administer the platform afterwards.
    """
    parsed = auth.parse_role(role)
    if parsed is not Role.ADMIN:
        _keep_an_admin(session, name)
    user = by_name(session, name, lock=True)
    user.role = parsed.value
    return _changed(session, user, actor, "user.set_role", role=parsed.value)


def set_active(session: Session, *, name: str, active: bool, actor: str) -> User:
    """Let a user in again or shut them out; sessions and tokens stop working at once.

    Raises:
        Conflict: nobody else could administer the platform afterwards.
    """
    if not active:
        _keep_an_admin(session, name)
    user = by_name(session, name, lock=True)
    user.active = active
    return _changed(session, user, actor, "user.enable" if active else "user.disable")


def list_all(session: Session) -> Sequence[User]:
    """Every user by name, disabled ones too."""
    return session.exec(select(User).order_by(col(User.name))).all()


def page(session: Session, *, text: str = "", limit: int = 25, offset: int = 0) -> Sequence[User]:
    """Users whose name contains ``text``, by name, disabled ones too."""
    query = select(User).where(_named(text)).order_by(col(User.name))
    return session.exec(query.limit(limit).offset(offset)).all()


def count(session: Session, text: str = "") -> int:
    """How many users ``page`` would list without a limit."""
    return session.exec(select(func.count(col(User.id))).where(_named(text))).one()


def _named(text: str) -> ColumnElement[bool]:
    return col(User.name).icontains(text, autoescape=True)


def find(session: Session, name: str) -> User | None:
    if "\0" in name:  # PostgreSQL refuses even to look for it
        return None
    return session.exec(select(User).where(User.name == name)).one_or_none()


def get(session: Session, user_id: int) -> User:
    """Raises ``NotFound``."""
    return by_id(session, User, user_id, "user with the id")


def by_name(session: Session, name: str, *, lock: bool = False) -> User:
    """Raises ``NotFound``. ``lock`` holds the row until the transaction ends."""
    query = select(User).where(User.name == name)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    user = session.exec(query).one_or_none()
    if user is None:
        raise NotFound(f"There is no user {name!r}.", "See `anomalyos users list`.")
    return user


def ensure_first_admin(session: Session) -> str | None:
    """Create ``admin`` when there is no user at all.

    Returns:
        Its generated password, which is stored nowhere: show it once. None when a user exists,
        or when another process was faster.
    """
    if session.exec(select(User.id).limit(1)).first() is not None:
        return None
    password = auth.generate_password()
    row = User(name=FIRST_ADMIN, password_hash=auth.hash_password(password), role=Role.ADMIN.value)
    _, created = get_or_create(session, row, lambda: find(session, FIRST_ADMIN))
    if not created:
        return None
    audit.write(
        session,
        actor="system",
        action="user.create",
        subject=f"user:{FIRST_ADMIN}",
        detail={"role": Role.ADMIN.value, "first": True},
    )
    return password


def _keep_an_admin(session: Session, leaving: str) -> None:
    # locks all administrators in one order: two who remove each other at once cannot both succeed
    query = (
        select(User)
        .where(User.role == Role.ADMIN.value, col(User.active).is_(True))
        .order_by(col(User.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    admins = [user.name for user in session.exec(query)]
    if admins == [leaving]:
        raise Conflict(f"{leaving} is the last administrator.", "Make somebody else one first.")


def _changed(session: Session, user: User, actor: str, action: str, **detail: str) -> User:
    user.session_epoch += 1
    session.flush()
    audit.write(session, actor=actor, action=action, subject=f"user:{user.name}", detail=detail)
    return user
