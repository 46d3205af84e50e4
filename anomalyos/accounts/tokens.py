"""API tokens: shown once, known afterwards only by their SHA-256."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, case, func, or_
from sqlmodel import Session, col, select

from anomalyos.accounts import audit, users
from anomalyos.accounts import rules as auth
from anomalyos.accounts.tables import ApiToken, Scope, User
from anomalyos.core.errors import AnomalyOSError, NotAllowed
from anomalyos.db.columns import utc_now
from anomalyos.db.rows import by_id, plain_text

MAX_DAYS = 3650


def create(
    session: Session,
    *,
    user_id: int,
    name: str,
    scopes: Iterable[str],
    expires_in_days: int | None,
    actor: str,
) -> tuple[ApiToken, str]:
    """A new token of a user.

    Args:
        name: what it is for, in the user's words.
        scopes: one or more ``Scope`` values.
        expires_in_days: 1 to 3650, or None for a token that never expires.

    Returns:
        The row, and the token itself: it cannot be shown again.
    """
    user = users.get(session, user_id)
    if expires_in_days is not None and not 1 <= expires_in_days <= MAX_DAYS:
        raise AnomalyOSError(f"A token lives 1 to {MAX_DAYS} days.")
    plain = auth.generate_token()
    token = ApiToken(
        user_id=user_id,
        name=plain_text(name, "token name", 64, required=True),
        token_sha256=auth.token_digest(plain),
        scopes=_parse_scopes(scopes),
        expires_at=utc_now() + timedelta(days=expires_in_days) if expires_in_days is not None else None,
    )
    session.add(token)
    session.flush()
    audit.write(
        session,
        actor=actor,
        action="token.create",
        subject=f"user:{user.name}",
        detail={"token_id": token.id, "name": token.name, "scopes": token.scopes},
    )
    return token, plain


def verify(session: Session, plain: str, scope: str) -> tuple[User, ApiToken]:
    """Who is calling.

    Raises:
        NotAllowed: unknown, revoked or expired token, disabled user, or a scope it does not have.
    """
    digest = auth.token_digest(plain)
    found = session.exec(
        select(ApiToken, User)
        .join(User, col(User.id) == col(ApiToken.user_id))
        .where(ApiToken.token_sha256 == digest)
    ).one_or_none()
    # one answer for all of these: what was right about a wrong token is nobody's business
    if found is None or not is_live(found[0]) or not found[1].active:
        raise NotAllowed("This API token is not valid.", "Create a new one in the console or the CLI.")
    token, user = found
    if scope not in token.scopes:
        raise NotAllowed(f"This API token lacks the scope {scope!r}.", "Create one that has it.")
    return user, token


def revoke(session: Session, *, token_id: int, actor: str) -> ApiToken:
    """End a token now; revoking it again changes nothing. Raises ``NotFound``."""
    token = get(session, token_id)
    if token.revoked_at is None:
        token.revoked_at = utc_now()
        session.flush()
        audit.write(
            session,
            actor=actor,
            action="token.revoke",
            subject=f"user:{users.get(session, token.user_id).name}",
            detail={"token_id": token.id, "name": token.name},
        )
    return token


def list_all(session: Session, user_id: int | None = None) -> Sequence[ApiToken]:
    """Tokens of one user or of all, newest first, dead ones too."""
    return session.exec(select(ApiToken).where(*_of(user_id)).order_by(col(ApiToken.id).desc())).all()


def page(
    session: Session, *, user_id: int | None = None, limit: int = 25, offset: int = 0
) -> list[tuple[ApiToken, str]]:
    """Tokens of one user or of all with their owners' names, those that work first, then newest first."""
    query = select(ApiToken, User.name).join(User, col(User.id) == col(ApiToken.user_id))
    dead = or_(col(ApiToken.revoked_at).is_not(None), col(ApiToken.expires_at) <= utc_now())
    order = (case((dead, 1), else_=0), col(ApiToken.id).desc())
    query = query.where(*_of(user_id)).order_by(*order)
    return list(session.exec(query.limit(limit).offset(offset)).all())


def count(session: Session, user_id: int | None = None) -> int:
    return session.exec(select(func.count(col(ApiToken.id))).where(*_of(user_id))).one()


def _of(user_id: int | None) -> tuple[ColumnElement[bool], ...]:
    return () if user_id is None else (col(ApiToken.user_id) == user_id,)


def get(session: Session, token_id: int) -> ApiToken:
    """Raises ``NotFound``."""
    return by_id(session, ApiToken, token_id, "API token with the id")


def is_live(token: ApiToken) -> bool:
    """Whether it is neither revoked nor expired."""
    return token.revoked_at is None and (token.expires_at is None or token.expires_at > utc_now())


def _parse_scopes(scopes: Iterable[str]) -> list[str]:
    asked = {str(scope) for scope in scopes}
    known = {scope.value for scope in Scope}
    if not asked or asked - known:
        raise AnomalyOSError("A token needs at least one valid scope.", f"Scopes: {', '.join(Scope)}.")
    return sorted(asked)
